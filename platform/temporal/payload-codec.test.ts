import { randomBytes } from 'node:crypto';
import type { Payload } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import type { CodecKeys } from '../config/codec-keys.ts';
import { createPayloadCodec } from './payload-codec.ts';

const OLD = { id: 'old', key: randomBytes(32) };
const NEW = { id: 'new', key: randomBytes(32) };

function codecOf(...all: CodecKeys['all']) {
  return createPayloadCodec({ active: all[0] ?? null, all });
}

function payloadOf(text: string): Payload {
  return { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from(text) };
}

function textsOf(payloads: Payload[]): string[] {
  return payloads.map(({ data }) => Buffer.from(data ?? []).toString());
}

describe('the payload codec', () => {
  test('gives back what it has encrypted, with its metadata, and shows nothing of it', async () => {
    const codec = codecOf(NEW);
    const [encrypted, again] = await codec.encode([payloadOf('"a secret"'), payloadOf('"a secret"')]);
    expect(Buffer.from(encrypted?.data ?? []).toString('latin1')).not.toMatch(/secret|json/);
    expect(encrypted?.data, 'the same twice is not the same to see').not.toEqual(again?.data);
    const [decrypted] = await codec.decode(encrypted ? [encrypted] : []);
    expect(textsOf(decrypted ? [decrypted] : [])).toEqual(['"a secret"']);
    expect(Buffer.from(decrypted?.metadata?.encoding ?? []).toString()).toBe('json/plain');
  });

  test('reads what older keys wrote, and what nobody encrypted', async () => {
    const [written] = await codecOf(OLD).encode([payloadOf('1')]);
    const payloads = [...(written ? [written] : []), payloadOf('2')];
    expect(textsOf(await codecOf(NEW, OLD).decode(payloads))).toEqual(['1', '2']);
    expect(textsOf(await createPayloadCodec({ active: null, all: [OLD] }).decode(payloads))).toEqual(['1', '2']);
  });

  test('writes as it is while no key is active', async () => {
    expect(await createPayloadCodec({ active: null, all: [NEW] }).encode([payloadOf('1')])).toEqual([payloadOf('1')]);
  });

  test('says which key it does not have', async () => {
    const written = await codecOf(OLD).encode([payloadOf('1')]);
    await expect(codecOf(NEW).decode(written)).rejects.toThrow(
      'A payload that was encrypted with the key "old" cannot be read: TEMPORAL_CODEC_KEYS does not have that key.',
    );
  });

  test('rejects what was changed, is cut short, or is of another key with the same name', async () => {
    const [written] = await codecOf(NEW).encode([payloadOf('1')]);
    const data = Buffer.from(written?.data ?? []);
    const changed = Buffer.from(data);
    changed[20] = (changed[20] ?? 0) ^ 1;
    const metadata = written?.metadata ?? {};
    await expect(codecOf(NEW).decode([{ metadata, data: changed }])).rejects.toThrow('it was changed');
    await expect(codecOf(NEW).decode([{ metadata, data: data.subarray(0, 8) }])).rejects.toThrow('too short');
    const impostor = { id: NEW.id, key: OLD.key };
    await expect(codecOf(impostor).decode([{ metadata, data }])).rejects.toThrow('another key with that name');
  });
});
