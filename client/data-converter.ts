/*
 * What a client needs where payloads are encrypted: the keys as the control plane has them in `TEMPORAL_CODEC_KEYS`, and
 * the data converter for Temporal's client.
 */

export { type CodecKey, type CodecKeys, codecKeysSchema } from '../platform/config/codec-keys.ts';
export { createDataConverter } from '../platform/temporal/data-converter.ts';
