import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** How many connections a server keeps. */
export interface ConnectionLimits {
  /** In all. */
  total: number;
  /** Of one peer address. */
  perAddress: number;
  /** Whether an address may have any part of the total: a proxy, behind which many are. */
  isExempt(address: string): boolean;
}

/**
 * Closes connections above the limits as soon as they are there, so that nobody takes all of them. What a caller may do
 * slowly on the connections that it has is bounded by the timeouts of the server.
 */
export function limitConnections(server: Server, { total, perAddress, isExempt }: ConnectionLimits): void {
  server.maxConnections = total;
  const open = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    if (isExempt(address)) return;
    const before = open.get(address) ?? 0;
    if (before >= perAddress) {
      socket.destroy();
      return;
    }
    open.set(address, before + 1);
    socket.once('close', () => {
      const left = (open.get(address) ?? 1) - 1;
      if (left > 0) open.set(address, left);
      else open.delete(address);
    });
  });
}
