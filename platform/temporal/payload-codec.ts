import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import type { CodecKey, CodecKeys } from '../config/codec-keys.ts';

const ENCODING = 'binary/encrypted';
const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A payload cannot be read: its key is not configured, or it was changed since it was written. */
export class PayloadUnreadableError extends Error {
  readonly keyId: string;

  constructor(keyId: string, problem: string) {
    super(`A payload that was encrypted with the key "${keyId}" cannot be read: ${problem}.`);
    this.name = 'PayloadUnreadableError';
    this.keyId = keyId;
  }
}

/**
 * Encrypts whole payloads, with their own metadata, by AES-256-GCM under the active key; the key's id is beside them.
 * Decrypts with whichever key a payload names. Payloads that are not encrypted pass as they are, so that it can be
 * turned on while operations are open.
 */
export function createPayloadCodec({ active, all }: CodecKeys): PayloadCodec {
  const keyOf = new Map(all.map(({ id, key }) => [id, key]));
  return {
    encode: async (payloads) => (active === null ? payloads : payloads.map((payload) => encrypt(payload, active))),
    decode: async (payloads) => payloads.map((payload) => (isEncrypted(payload) ? decrypt(payload, keyOf) : payload)),
  };
}

function isEncrypted({ metadata }: Payload): boolean {
  return textOf(metadata?.encoding) === ENCODING;
}

function encrypt(payload: Payload, { id, key }: CodecKey): Payload {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  const plain = proto.temporal.api.common.v1.Payload.encode(payload).finish();
  const encrypted = [nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()];
  return {
    metadata: { encoding: Buffer.from(ENCODING), 'encryption-key-id': Buffer.from(id) },
    data: Buffer.concat(encrypted),
  };
}

function decrypt({ metadata, data }: Payload, keyOf: ReadonlyMap<string, Buffer>): Payload {
  const id = textOf(metadata?.['encryption-key-id']);
  const key = keyOf.get(id);
  if (key === undefined) throw new PayloadUnreadableError(id, 'TEMPORAL_CODEC_KEYS does not have that key');
  const bytes = Buffer.from(data ?? []);
  if (bytes.length < NONCE_BYTES + TAG_BYTES) throw new PayloadUnreadableError(id, 'it is too short');
  const tagStart = bytes.length - TAG_BYTES;
  const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAuthTag(bytes.subarray(tagStart));
  try {
    const plain = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, tagStart)), decipher.final()]);
    return proto.temporal.api.common.v1.Payload.decode(plain);
  } catch {
    throw new PayloadUnreadableError(id, 'it was changed, or is of another key with that name');
  }
}

function textOf(bytes: Uint8Array | null | undefined): string {
  return bytes ? Buffer.from(bytes).toString('utf8') : '';
}
