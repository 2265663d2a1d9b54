import { writeFile } from 'node:fs/promises';
import { InMemoryProvider, OpenFeature } from '@openfeature/server-sdk';
import { pino } from 'pino';
import { expect, inject, onTestFinished, test } from 'vitest';
import { until } from '../../dev/kit/until.ts';
import { CODE_PATHS } from '../../edge/code-paths.ts';
import { FileProvider } from '../../edge/flags/file-provider.ts';
import { flagOf } from '../../edge/flags/setting.ts';
import { setFlags, useFlagFile, useGateway } from '../support/gateway.ts';
import { startProgram } from '../support/program.ts';
import { servedBy, useUpstream } from '../support/recording-upstream.ts';

const USERS = Array.from({ length: 10_000 }, (_, number) => String(number + 1));

/** Who is moved on a path at a percentage, by a provider that has just read the file. */
async function movedAt(percent: number, flag = 'reserved_ips.assign') {
  const path = await useFlagFile();
  await setFlags(path, 'assign', { percent });
  const provider = new FileProvider({ path, logger: pino({ level: 'silent' }) });
  await provider.initialize();
  onTestFinished(() => provider.onClose());
  const answers = await Promise.all(
    USERS.map((user) => provider.resolveBooleanEvaluation(flag, false, { targetingKey: user })),
  );
  return new Set(USERS.filter((_, at) => answers[at]?.value));
}

test('a percentage is monotonic and as large as it says, over 10,000 users', async () => {
  let fewer = new Set<string>();
  for (const percent of [0, 0.5, 1, 5, 10, 20, 25, 50, 99, 100]) {
    const moved = await movedAt(percent);
    expect(
      [...fewer].filter((user) => !moved.has(user)),
      `moved before ${percent} %`,
    ).toEqual([]);
    const spread = 4 * Math.sqrt(USERS.length * (percent / 100) * (1 - percent / 100));
    expect(Math.abs(moved.size - (percent / 100) * USERS.length)).toBeLessThanOrEqual(spread);
    fewer = moved;
  }
});

test('a percentage moves the same users every time, and on every path', async () => {
  const moved = await movedAt(25);
  expect(await movedAt(25)).toEqual(moved);
  expect(await movedAt(25, 'floating_ips.assign')).toEqual(moved);
});

test('an allowed user is on the new upstream at 0 %, a denied one on legacy at 100 %, and deny wins', async () => {
  const path = await useFlagFile();
  await setFlags(path, 'list', { percent: 0, allow: ['3', '4'], deny: ['4'] });
  await setFlags(path, 'show', { percent: 100, deny: ['3'] });
  const provider = new FileProvider({ path, logger: pino({ level: 'silent' }) });
  await provider.initialize();
  onTestFinished(() => provider.onClose());
  const ask = async (flag: string, targetingKey: string) =>
    (await provider.resolveBooleanEvaluation(flag, false, { targetingKey })).value;
  expect([await ask('reserved_ips.list', '3'), await ask('reserved_ips.list', '4')]).toEqual([true, false]);
  expect([await ask('reserved_ips.list', '5'), await ask('reserved_ips.show', '5')]).toEqual([false, true]);
  expect(await ask('reserved_ips.show', '3')).toBe(false);
});

test('a change takes effect within a second at every gateway process, without a restart', async () => {
  const [legacy, fresh, flagFile] = await Promise.all([useUpstream('legacy'), useUpstream('new'), useFlagFile()]);
  await setFlags(flagFile, 'all', { percent: 0 });
  const environment = {
    MYSQL_URL: inject('environment').mysqlUrl,
    LEGACY_URL: legacy.url,
    API_URL: fresh.url,
    EDGE_FLAGS_FILE: flagFile,
    EDGE_PORT: '0',
  };
  const gateways = [1, 2].map(() => startProgram('edge/main.ts', [], { environment }));
  const urls = await Promise.all(
    gateways.map((gateway) =>
      until('the gateway listens', async () => /"url":"([^"]+)"/.exec(gateway.output)?.[1], 60_000),
    ),
  );
  const upstreams = () => Promise.all(urls.map((url) => servedBy(url)));
  expect(await upstreams()).toEqual(['legacy', 'legacy']);
  for (const [percent, expected] of [
    [100, 'new'],
    [0, 'legacy'],
    [100, 'new'],
  ] as const) {
    await setFlags(flagFile, 'reserved_ips.list', { percent });
    await until(
      `both gateways send to ${expected}`,
      async () => (await upstreams()).every((upstream) => upstream === expected),
      1_000,
    );
  }
});

test('a flag file that is missing, torn or unknown means legacy, loudly, until it is good again', async () => {
  const [legacy, fresh, flagFile] = await Promise.all([useUpstream('legacy'), useUpstream('new'), useFlagFile()]);
  const gateway = await useGateway({ legacyUrl: legacy.url, apiUrl: fresh.url, flagFile });
  const upstream = () => servedBy(gateway.url);
  const usable = () => gateway.metric('edge_flag_source_usable');

  expect([await upstream(), await usable()]).toEqual(['legacy', 0]);
  expect(gateway.log()).toContain('the flag file cannot be used: everything goes to legacy');
  expect(await gateway.metric('edge_flag_failures_total', { code_path: 'reserved_ips.list' })).toBe(1);

  let failures = 1;
  for (const broken of [
    '',
    '{"flags":',
    '[]',
    '{}',
    '{"flags":[]}',
    '{"flags":{"reserved_ips.list":{"state":"ON"}}}',
  ]) {
    await writeFile(flagFile, JSON.stringify({ flags: allAt(100) }));
    await until('the flags are used again', async () => (await upstream()) === 'new');
    expect(await usable()).toBe(1);
    await writeFile(flagFile, broken);
    await until(`${broken} means legacy`, async () => (await upstream()) === 'legacy');
    expect(await usable(), broken).toBe(0);
    const errors = gateway.log().split('the flag file cannot be used').length - 1;
    expect(errors, broken).toBeGreaterThan(failures);
    failures = errors;
  }
});

function allAt(percent: number) {
  return Object.fromEntries(
    CODE_PATHS.map((codePath) => [codePath, flagOf({ on: true, percent, allow: [], deny: [] })]),
  );
}

test('one flag that is missing or makes no sense means legacy for its path, loudly, and leaves the others', async () => {
  const [legacy, fresh, flagFile] = await Promise.all([useUpstream('legacy'), useUpstream('new'), useFlagFile()]);
  const { 'reserved_ips.show': _, ...flags } = allAt(100);
  const textFlag = { state: 'ENABLED', variants: { a: 'new' }, defaultVariant: 'a' };
  await writeFile(flagFile, JSON.stringify({ flags: { ...flags, 'reserved_ips.list_actions': textFlag } }));
  const gateway = await useGateway({ legacyUrl: legacy.url, apiUrl: fresh.url, flagFile });
  const get = (path: string) => servedBy(gateway.url, `/v2/reserved_ips${path}`);
  expect([await get(''), await get('/192.0.2.1'), await get('/192.0.2.1/actions')]).toEqual([
    'new',
    'legacy',
    'legacy',
  ]);
  expect(gateway.log()).toContain('"codePath":"reserved_ips.show","errorCode":"FLAG_NOT_FOUND"');
  expect(gateway.log()).toContain('"codePath":"reserved_ips.list_actions","errorCode":"TYPE_MISMATCH"');
});

test('another flag service takes the place of the file by an OpenFeature provider', async () => {
  const [legacy, fresh] = await Promise.all([useUpstream('legacy'), useUpstream('new')]);
  const flag = { variants: { on: true, off: false }, defaultVariant: 'off', disabled: false };
  const provider = new InMemoryProvider({ 'reserved_ips.list': flag });
  const gateway = await useGateway({ legacyUrl: legacy.url, apiUrl: fresh.url, provider });
  expect(await servedBy(gateway.url)).toBe('legacy');
  await provider.putConfiguration({ 'reserved_ips.list': { ...flag, defaultVariant: 'on' } });
  expect(await servedBy(gateway.url)).toBe('new');
  expect(OpenFeature.providerMetadata.name).toBe('No-op Provider');
});

test('the account of a token cannot be read without a database: such a request goes to legacy, loudly', async () => {
  const [legacy, fresh, flagFile] = await Promise.all([useUpstream('legacy'), useUpstream('new'), useFlagFile()]);
  await setFlags(flagFile, 'all', { percent: 100 });
  const mysqlUrl = 'mysql://nobody:nothing@127.0.0.1:1/nowhere';
  const gateway = await useGateway({ legacyUrl: legacy.url, apiUrl: fresh.url, flagFile, mysqlUrl });
  const answer = await fetch(`${gateway.url}/v2/reserved_ips`, {
    headers: { authorization: `Bearer rip_${'x'.repeat(43)}` },
  });
  expect(await answer.json()).toEqual({ served_by: 'legacy' });
  expect(await gateway.metric('edge_user_failures_total')).toBe(1);
  expect(gateway.log()).toContain('the account of a token cannot be read');
  expect(await servedBy(gateway.url)).toBe('new');
});
