import type { Context } from 'hono';
import { badRequest } from './errors.ts';

const UTF_8 = new TextDecoder('utf-8', { fatal: true });

/** Reads the body, and keeps its text for whoever reads it next. Throws 400 when it is not UTF-8. */
export async function readUtf8Body({ req }: Context): Promise<void> {
  const text = decode(await req.arrayBuffer());
  // Hono would decode it again, by a whole Response of the web's.
  Object.assign(req.bodyCache, { text: Promise.resolve(text) });
}

/** Not leniently: that would put a replacement character where there is no text, and go on with it. */
function decode(bytes: ArrayBuffer): string {
  try {
    return UTF_8.decode(bytes);
  } catch {
    throw badRequest('The request body is not UTF-8.');
  }
}
