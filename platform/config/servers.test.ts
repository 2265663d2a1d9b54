import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parseBillingConfiguration } from '../../ops/billing-statement/settings.ts';
import { useAuthority } from '../../test/support/folder.ts';
import { parseWorkerConfiguration } from '../../workers/settings.ts';
import { ConfigurationError } from './settings.ts';

const PLAIN = {
  MYSQL_URL: 'mysql://user:password@database.example/reserved_ip',
  KAFKA_BROKERS: 'one:9092, two:9092',
  TEMPORAL_ADDRESS: 'temporal:7233',
};

function problemsOf(environment: Record<string, string>): string[] {
  try {
    parseWorkerConfiguration({ ...PLAIN, ...environment });
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
}

describe('the configuration of connections', () => {
  test('is in the clear unless something of TLS is set', () => {
    const { mysql, kafka, temporal } = parseWorkerConfiguration(PLAIN);
    expect([mysql.tls, kafka.tls, temporal.tls]).toEqual([null, null, null]);
    expect(kafka.brokers).toEqual(['one:9092', 'two:9092']);
  });

  test('trusts the public authorities when TLS is merely turned on', () => {
    const { kafka } = parseBillingConfiguration({ ...PLAIN, KAFKA_TLS: 'true' });
    expect(kafka.tls).toEqual({ certificateAuthority: null, identity: null });
  });

  test('reads an authority, and a certificate with its key', async () => {
    const authority = await useAuthority();
    const { certificate, key } = await authority.issue('client');
    const { temporal } = parseWorkerConfiguration({
      ...PLAIN,
      TEMPORAL_TLS_CA: authority.path,
      TEMPORAL_TLS_CERT: certificate,
      TEMPORAL_TLS_KEY: key,
      TEMPORAL_TLS_SERVER_NAME: 'frontend',
    });
    expect(temporal.tls?.certificateAuthority?.toString()).toContain('BEGIN CERTIFICATE');
    expect(temporal.tls?.identity?.key.toString()).toContain('PRIVATE KEY');
    expect(temporal.tls?.serverName).toBe('frontend');
  });

  test('names every setting that cannot be used, for all servers at once', async () => {
    const authority = await useAuthority();
    const [one, other] = [await authority.issue('one'), await authority.issue('other')];
    expect(
      problemsOf({
        MYSQL_TLS_CERT: one.certificate,
        KAFKA_TLS_CERT: one.certificate,
        KAFKA_TLS_KEY: other.key,
        TEMPORAL_TLS_CA: one.key,
      }),
    ).toEqual([
      'MYSQL_TLS_CERT: needs the key that belongs to it, MYSQL_TLS_KEY',
      'TEMPORAL_TLS_CA: is not a PEM certificate',
      'KAFKA_TLS_KEY: does not belong to KAFKA_TLS_CERT',
    ]);
    expect(problemsOf({ MYSQL_TLS_CA: '/nowhere/ca.pem', KAFKA_TLS_KEY: one.key, TEMPORAL_TLS: 'yes' })).toEqual([
      'MYSQL_TLS_CA: /nowhere/ca.pem cannot be read (ENOENT)',
      expect.stringMatching(/^TEMPORAL_TLS: /),
      'KAFKA_TLS_KEY: needs the certificate that belongs to it, KAFKA_TLS_CERT',
    ]);
  });

  test('does not go on in the clear when certificates are set', async () => {
    const { path } = await useAuthority();
    expect(problemsOf({ MYSQL_TLS: 'false', MYSQL_TLS_CA: path })).toEqual([
      'MYSQL_TLS: is false, but certificates are set',
    ]);
  });

  test('needs a name to compare the certificate of MySQL with', () => {
    expect(problemsOf({ MYSQL_TLS: 'true', MYSQL_URL: 'mysql://user:password@192.0.2.1/reserved_ip' })).toEqual([
      'MYSQL_URL: needs a host name for TLS, not an address',
    ]);
  });

  test('takes codec keys in the order they are written, and never repeats one in an error', () => {
    const [newer, older] = [randomBytes(32), randomBytes(32)];
    const text = `2026-11:${newer.toString('base64')}, 2026-05:${older.toString('base64')}`;
    const codecOf = (keys: string) => parseWorkerConfiguration({ ...PLAIN, TEMPORAL_CODEC_KEYS: keys }).temporal.codec;
    const all = [
      { id: '2026-11', key: newer },
      { id: '2026-05', key: older },
    ];
    expect(codecOf(text)).toEqual({ active: all[0], all });
    expect(codecOf(`plain,${text}`)).toEqual({ active: null, all });
    const short = randomBytes(16).toString('base64');
    expect(problemsOf({ TEMPORAL_CODEC_KEYS: `a:${short},${short},b:${newer.toString('base64')}` })).toEqual([
      'TEMPORAL_CODEC_KEYS: key 1 "a" has 16 bytes instead of 32',
      'TEMPORAL_CODEC_KEYS: key 2 is not "id:base64"',
    ]);
  });
});
