import { once } from 'node:events';
import { connect } from 'node:net';
import { parseJson } from '../../dev/kit/http.ts';

/** An answer as it came over the connection. */
export interface RawAnswer {
  status: number;
  /** By names in lower case. */
  headers: Map<string, string>;
  /** The JSON body; undefined when empty or not JSON. */
  body: unknown;
}

/** A request line by line; header lines are written as they are. */
export interface RawRequest {
  method?: string;
  target: string;
  version?: string;
  /** Without a value there is no such line. */
  host: string | null;
  headers?: string[];
}

/** The bytes of a request whose connection ends with its answer; each character is one byte. */
export function bytesOf({ method = 'GET', target, version = 'HTTP/1.1', host, headers = [] }: RawRequest): string {
  const lines = [`${method} ${target} ${version}`, ...(host === null ? [] : [`Host: ${host}`]), ...headers];
  return [...lines, 'Connection: close', '', ''].join('\r\n');
}

/** Sends bytes over a connection of their own, and answers all answers that came until the server closed it. */
export async function exchange(url: string, bytes: string | Buffer, withinMs = 20_000): Promise<RawAnswer[]> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.setTimeout(withinMs, () => socket.destroy(new Error(`not closed within ${withinMs} ms`)));
  const chunks: Buffer[] = [];
  let failure: Error | null = null;
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', (error) => {
    failure = 'code' in error && error.code === 'ECONNRESET' ? null : error;
  });
  socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  await once(socket, 'close');
  if (failure) throw failure;
  return answersIn(Buffer.concat(chunks));
}

/** The one answer to a request. Throws when there is none, or another one. */
export async function ask(url: string, request: RawRequest): Promise<RawAnswer> {
  const answers = await exchange(url, bytesOf(request));
  const [answer] = answers;
  if (!answer || answers.length > 1) {
    throw new Error(`${answers.length} answers to ${JSON.stringify(request)}`);
  }
  return answer;
}

function answersIn(received: Buffer): RawAnswer[] {
  const answers: RawAnswer[] = [];
  for (let at = 0; at < received.length; ) {
    const end = received.indexOf('\r\n\r\n', at);
    if (end === -1) throw new Error(`half an answer: ${received.subarray(at).toString('latin1')}`);
    const [first = '', ...lines] = received.subarray(at, end).toString('latin1').split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1]);
    const headers = new Map(
      lines.map((line) => [line.split(':')[0]?.toLowerCase() ?? '', line.replace(/^[^:]*: */, '')]),
    );
    const length = headers.get('content-length');
    const bodyEnd = length === undefined ? received.length : end + 4 + Number(length);
    const body = parseJson(received.subarray(end + 4, bodyEnd).toString());
    if (status !== 100) answers.push({ status, headers, body });
    at = status === 100 ? end + 4 : bodyEnd;
  }
  return answers;
}
