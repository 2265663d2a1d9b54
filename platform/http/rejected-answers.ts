import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { malformed, RequestRejectedError } from './rejection.ts';
import { requestIdFrom } from './request-id.ts';

/** Answers a request that was rejected, in the form that v2 clients read. */
export function answerRejected(
  error: RequestRejectedError,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  logger: Logger | null,
): void {
  const requestId = requestIdFrom(incoming.headers['x-request-id']);
  const body = bodyOf(error, requestId);
  // Where a request ends is in doubt when its beginning is.
  if (error.status !== 404) outgoing.shouldKeepAlive = false;
  outgoing.writeHead(error.status, { ...headersOf(requestId), 'content-length': Buffer.byteLength(body) });
  outgoing.end(body);
  logger?.info({ requestId, status: error.status, reason: error.reason }, 'request rejected');
}

/** Answers in the same form what the parser of Node rejects, and CONNECT, for which there is no response object. */
export function answerUnparsed(server: Server, logger: Logger | null): void {
  const unfinished = new WeakMap<Duplex, Set<ServerResponse>>();
  server.prependListener('request', ({ socket }: IncomingMessage, outgoing: ServerResponse) => {
    const responses = unfinished.get(socket) ?? new Set();
    unfinished.set(socket, responses.add(outgoing));
    outgoing.once('finish', () => responses.delete(outgoing));
  });

  function answer(error: RequestRejectedError, socket: Duplex): void {
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    const requestId = requestIdFrom(undefined);
    socket.write(asText(error, requestId));
    socket.destroy();
    logger?.info({ requestId, status: error.status, reason: error.reason }, 'request rejected');
  }

  server.on('clientError', (cause: Error & { code?: string }, socket) => {
    const pending = [...(unfinished.get(socket) ?? [])];
    const error = rejectionOf(cause.code);
    // Requests that came whole are answered first, so that no client takes this answer for theirs.
    const last = pending.filter(({ req }) => req.complete).at(-1);
    if (last !== undefined && socket.writable) last.once('close', () => answer(error, socket));
    else if (pending.some(({ headersSent }) => headersSent)) socket.destroy();
    else answer(error, socket);
  });
  server.on('connect', (_request, socket) => {
    socket.on('error', () => socket.destroy());
    answer(malformed('form', 'This server is not a proxy.'), socket);
  });
}

function rejectionOf(code: string | undefined): RequestRejectedError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new RequestRejectedError(
        431,
        'request_header_fields_too_large',
        'header_size',
        'Request line and headers are too large.',
      );
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new RequestRejectedError(
        413,
        'payload_too_large',
        'chunk_size',
        'The extensions of a chunk are too large.',
      );
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new RequestRejectedError(408, 'request_timeout', 'timeout', 'The request did not arrive in time.');
    default:
      return malformed('syntax', 'The request is not valid HTTP/1.1.');
  }
}

function headersOf(requestId: string) {
  return { 'content-type': 'application/json; charset=utf-8', 'x-request-id': requestId };
}

function bodyOf({ id, message }: RequestRejectedError, requestId: string): string {
  return JSON.stringify({ id, message, request_id: requestId });
}

function asText(error: RequestRejectedError, requestId: string): string {
  const body = bodyOf(error, requestId);
  const headers = { ...headersOf(requestId), 'content-length': String(Buffer.byteLength(body)), connection: 'close' };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}`, ...lines, '', body].join('\r\n');
}
