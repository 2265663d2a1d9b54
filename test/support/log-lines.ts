import { Writable } from 'node:stream';
import { z } from 'zod';

/** A destination for a logger that keeps its lines. */
export function collecting(lines: string[]): Writable {
  return new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
}

const requestLine = z.object({ requestId: z.string(), msg: z.literal('request') });

/** The ids of the requests that a log tells of, once for each time. */
export function requestsIn(lines: string[]): string[] {
  return lines.flatMap((line) => {
    const parsed = requestLine.safeParse(JSON.parse(line));
    return parsed.success ? [parsed.data.requestId] : [];
  });
}
