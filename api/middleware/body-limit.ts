import { bodyLimit as honoBodyLimit } from 'hono/body-limit';
import { payloadTooLarge } from '../errors.ts';

/** Options of {@link bodyLimit}. */
export interface BodyLimitOptions {
  /** Most bytes of a request's body; default 65536. */
  maxBytes?: number;
}

/** Refuses bodies that are larger than any honest request, before they are read. */
export function bodyLimit({ maxBytes = 65_536 }: BodyLimitOptions = {}) {
  return honoBodyLimit({
    maxSize: maxBytes,
    onError: () => {
      throw payloadTooLarge(maxBytes);
    },
  });
}
