import type { Readable } from 'node:stream';
import { brotliDecompressSync, unzipSync } from 'node:zlib';

/** A body that is larger than what is compared. */
export class TooLargeError extends Error {
  constructor() {
    super('the body is too large to be compared');
    this.name = 'TooLargeError';
  }
}

/**
 * Keeps a copy of what flows out of a stream, without holding it up. Call it in the same turn in which somebody else
 * begins to read: it does make the stream flow. Rejects with {@link TooLargeError}, or as the stream does.
 */
export function collect(body: Readable, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const keep = (chunk: Buffer) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size <= maxBytes) return;
      body.off('data', keep);
      chunks.length = 0;
      reject(new TooLargeError());
    };
    body.on('data', keep);
    body.once('end', () => resolve(Buffer.concat(chunks)));
    body.once('error', reject);
    body.once('close', () => reject(new Error('the body ended too early')));
  });
}

/** The text of a body in the encoding that its answer names. Throws when it is larger than `maxBytes`, or is no such encoding. */
export function decode(body: Buffer, encoding: string | string[] | undefined, maxBytes: number): string {
  const options = { maxOutputLength: maxBytes };
  switch (encoding) {
    case undefined:
    case 'identity':
      return body.toString();
    case 'gzip':
    case 'x-gzip':
    case 'deflate':
      return unzipSync(body, options).toString();
    case 'br':
      return brotliDecompressSync(body, options).toString();
    default:
      throw new TypeError(`unknown content-encoding ${encoding}`);
  }
}
