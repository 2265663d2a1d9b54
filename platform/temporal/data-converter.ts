import type { DataConverter } from '@temporalio/common';
import type { CodecKeys } from '../config/codec-keys.ts';
import { createPayloadCodec } from './payload-codec.ts';

/**
 * What every client and worker of the control plane must be given, so that they can read each other. Without keys,
 * payloads are written as they are.
 */
export function createDataConverter(keys: CodecKeys | null): DataConverter {
  return keys === null ? {} : { payloadCodecs: [createPayloadCodec(keys)] };
}
