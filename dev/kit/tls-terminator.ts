import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { createServer } from 'node:tls';
import { listenOnLoopback } from '../environment/ports.ts';
import type { ServerTls } from '../environment/servers/index.ts';

/** A TLS server in front of one that speaks in the clear. */
export interface TlsTerminator {
  /** `localhost:port` */
  address: string;
  close(): Promise<void>;
}

/** Whom a {@link TlsTerminator} lets in, and what it speaks. */
export interface TerminatorOptions {
  /** Nobody but clients with a certificate of the same authority; default true. */
  clientCertificates?: boolean;
  /** By ALPN; default `h2`, which is what gRPC speaks. */
  protocol?: 'h2' | 'http/1.1';
  /** Default any free one. */
  port?: number;
}

/** Ends TLS before a server, as a balancer would: the development server of Temporal has no TLS of its own. */
export async function terminateTls(
  target: string,
  tls: ServerTls,
  options: TerminatorOptions = {},
): Promise<TlsTerminator> {
  const { clientCertificates = true, protocol = 'h2', port: ownPort = 0 } = options;
  const [host = '', port = ''] = target.split(':');
  const [ca, cert, key] = await Promise.all(
    [tls.certificateAuthority, tls.certificate, tls.key].map((path) => readFile(path)),
  );
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => sockets.delete(socket));
  };
  const server = createServer(
    {
      ...{ ca, cert, key, noDelay: true },
      requestCert: clientCertificates,
      rejectUnauthorized: clientCertificates,
      ALPNProtocols: [protocol],
    },
    (socket) => {
      const onward = connect({ host, port: Number(port), noDelay: true });
      keep(socket);
      keep(onward);
      socket.pipe(onward).pipe(socket);
      socket.once('close', () => onward.destroy());
      onward.once('close', () => socket.destroy());
    },
  );
  const listeningPort = await listenOnLoopback(server, ownPort);
  return {
    address: `localhost:${listeningPort}`,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
