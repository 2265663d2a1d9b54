import type { DataConverter } from '@temporalio/common';
import type { CodecKey } from '../config/codec-keys.ts';
import { createPayloadCodec } from './payload-codec.ts';

/**
 * What every client and worker of the control plane must be given, so that they can read each other. Without keys,
 * payloads are written as they are.
 */
export function createDataConverter(keys: readonly CodecKey[]): DataConverter {
  return keys.length === 0 ? {} : { payloadCodecs: [createPayloadCodec(keys)] };
}
