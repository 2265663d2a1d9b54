import { randomBytes } from 'node:crypto';
import { Connection } from '@temporalio/client';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openKafka } from '../../billing/kafka.ts';
import { openDatabase, ping } from '../../db/database.ts';
import { walk } from '../../dev/environment/walk.ts';
import { Http } from '../../dev/kit/http.ts';
import { parseKafkaSettings, parseMysqlSettings, parseTemporalSettings } from '../../platform/config/servers.ts';
import { temporalConnectionOptions } from '../../platform/temporal/connection.ts';
import { runProgram } from '../support/program.ts';
import { findSecrets } from '../support/secrets-in-logs.ts';
import { createSecuredEnvironment, type SecuredEnvironment } from '../support/secured-environment.ts';

const CODEC_KEY = randomBytes(32).toString('base64');

let environment: SecuredEnvironment;

beforeAll(async () => {
  environment = await createSecuredEnvironment({ LOG_LEVEL: 'trace', TEMPORAL_CODEC_KEYS: `key:${CODEC_KEY}` });
}, 120_000);

afterAll(() => environment?.close());

describe('with TLS to all three servers', () => {
  test('an address goes through its whole life', async () => {
    const steps = await walk({ apiUrl: environment.apiUrl, token: environment.data.apiToken, report: () => {} });
    expect(steps.map(({ name }) => name.split(' ')[0])).toEqual([
      'reserve',
      'assign',
      'reassign',
      'unassign',
      'release',
    ]);
  });

  test('the consistency check and the billing statement reach them too', async () => {
    const variables = { ...environment.variables, LOG_LEVEL: 'warn' };
    const [checked, billed] = await Promise.all([
      runProgram('ops/consistency/main.ts', [], { environment: variables }),
      runProgram(
        'ops/billing-statement/main.ts',
        ['--account', '1', '--from', '2026-01-01', '--to', '2100-01-01', '--json'],
        {
          environment: variables,
        },
      ),
    ]);
    expect(checked).toMatchObject({ code: 0, stdout: '0 violations\n' });
    expect(JSON.parse(billed.stdout)).toMatchObject({ addresses: [{ intervals: expect.anything() }] });
  });
});

test('no process has logged a secret, however talkative, also where a caller puts one into the wrong place', async () => {
  const { apiUrl, data, adminToken, variables, logFolder } = environment;
  const [host] = data.hosts;
  const tokens = [data.apiToken, data.otherApiToken, adminToken, host?.token ?? ''];
  for (const token of tokens) {
    const http = new Http(apiUrl, token);
    for (const path of ['/v2/account', '/host/v1/desired-state', '/internal/v1/hosts', `/v2/actions?token=${token}`]) {
      await http.get(path);
    }
    await http.post('/v2/reserved_ips', { region: token });
    await http.post('/internal/v1/accounts', { name: token, email: token });
    await http.post('/host/v1/acknowledgments', { acknowledgments: [{ message: token }] });
    if (token !== adminToken) await http.get(`/v2/reserved_ips/${token}`);
  }
  const secrets = {
    'the admin token': adminToken,
    'the password of MySQL': new URL(variables.MYSQL_URL ?? '').password,
    'the key of the codec': CODEC_KEY,
    ...Object.fromEntries(tokens.map((token, index) => [`token ${index}`, token])),
  };
  expect(await findSecrets(logFolder, secrets)).toEqual([]);
});

type Attempt = (environment: Record<string, string>) => Promise<unknown>;

/** How each of them says that it wants a certificate. */
const servers: [name: string, attempt: Attempt, rejection: RegExp][] = [
  ['MYSQL', reachMysql, /Access denied/],
  ['KAFKA', reachKafka, /alert bad certificate/],
  ['TEMPORAL', reachTemporal, /Failed to connect/],
];

describe.each(servers)('%s', (name, attempt, rejection) => {
  test('answers a client with a certificate of its authority', async () => {
    await attempt(environment.variables);
  });

  test('rejects a client without a certificate', async () => {
    const { [`${name}_TLS_CERT`]: _, [`${name}_TLS_KEY`]: __, ...anonymous } = environment.variables;
    await expect(attempt(anonymous)).rejects.toThrow(rejection);
  });

  test('is rejected when its certificate is of another authority', async () => {
    const strange = { ...environment.variables, [`${name}_TLS_CA`]: environment.certificates.otherAuthority };
    await expect(attempt(strange)).rejects.toThrow(/certificate|Failed to connect/i);
  });

  test('is not spoken to in the clear', async () => {
    const clear = Object.entries(environment.variables).filter(([variable]) => !variable.startsWith(`${name}_TLS`));
    await expect(attempt(Object.fromEntries(clear))).rejects.toThrow();
  });
});

async function reachMysql(environment: Record<string, string>): Promise<void> {
  const db = openDatabase(parseMysqlSettings(environment));
  await ping(db, 5_000).finally(() => db.destroy());
}

async function reachKafka(environment: Record<string, string>): Promise<void> {
  const admin = openKafka({ ...parseKafkaSettings(environment), logger: pino({ level: 'silent' }) }).admin();
  try {
    await admin.connect();
    await admin.describeCluster();
  } finally {
    await admin.disconnect();
  }
}

async function reachTemporal(environment: Record<string, string>): Promise<void> {
  const options = temporalConnectionOptions(parseTemporalSettings(environment));
  const connection = await Connection.connect({ ...options, connectTimeout: 3_000 });
  await connection.close();
}
