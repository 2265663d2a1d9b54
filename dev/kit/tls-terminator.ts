import { readFile } from 'node:fs/promises';
import { createServer } from 'node:tls';
import type { ServerTls } from '../environment/servers/index.ts';
import { Relay } from './relay.ts';

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
  const { clientCertificates = true, protocol = 'h2', port = 0 } = options;
  const [ca, cert, key] = await Promise.all(
    [tls.certificateAuthority, tls.certificate, tls.key].map((path) => readFile(path)),
  );
  const server = createServer({
    ...{ ca, cert, key, noDelay: true },
    requestCert: clientCertificates,
    rejectUnauthorized: clientCertificates,
    ALPNProtocols: [protocol],
  });
  const relay = await Relay.start({ target, server, port });
  return { address: `localhost:${relay.port}`, close: () => relay.close() };
}
