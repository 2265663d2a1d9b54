import { readFile, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { readHistory, readSettings } from '../../edge/flags/flag-file.ts';
import { setFlags, useFlagFile } from '../support/gateway.ts';
import { runProgram } from '../support/program.ts';

async function flip(path: string, ...programArguments: string[]) {
  return runProgram('edge/flip.ts', programArguments, { environment: { EDGE_FLAGS_FILE: path, SUDO_USER: 'mira' } });
}

test('flip changes the paths that are named, shows them, and keeps who did it and when', async () => {
  const path = await useFlagFile();
  const began = new Date().toISOString();
  const first = await flip(path, 'assign', '25');
  expect(first).toMatchObject({ code: 0, stderr: '' });
  expect(first.stdout).toMatch(/reserved_ips\.assign +25%[\s\S]*floating_ips\.assign +25%/);
  expect(await flip(path, 'floating_ips.assign', '12.5', '--allow', '3', '4', '--deny', '5')).toMatchObject({
    code: 0,
  });
  expect(await flip(path, 'assign', 'off', '--by', 'nils')).toMatchObject({ code: 0 });

  const settings = await readSettings(path);
  expect(settings.get('floating_ips.assign')).toEqual({ on: false, percent: 0, allow: ['3', '4'], deny: ['5'] });
  expect(settings.get('reserved_ips.list')).toEqual({ on: false, percent: 0, allow: [], deny: [] });
  const history = await readHistory(path);
  expect(history.map(({ by }) => by)).toEqual(['mira', 'mira', 'nils']);
  expect(history.map(({ flags }) => Object.keys(flags))).toEqual([
    ['reserved_ips.assign', 'floating_ips.assign'],
    ['floating_ips.assign'],
    ['reserved_ips.assign', 'floating_ips.assign'],
  ]);
  expect(history[1]?.flags['floating_ips.assign']).toEqual({
    before: { on: true, percent: 25, allow: [], deny: [] },
    after: { on: true, percent: 12.5, allow: ['3', '4'], deny: ['5'] },
  });
  expect(history.every(({ at }) => at >= began && at <= new Date().toISOString())).toBe(true);
  expect((await flip(path, '--history')).stdout).toMatch(
    /mira +floating_ips\.assign +25% -> 12\.5%, allow: 3 4, deny: 5/,
  );
});

test('flip rejects what it does not know, and touches nothing', async () => {
  const path = await useFlagFile();
  await setFlags(path, 'all', { percent: 10 });
  const before = await readFile(path, 'utf8');
  const byHand = `${path}.by-hand`;
  await writeFile(byHand, '{"flags":{"reserved_ips.list":{"state":"ENABLED","variants":{},"targeting":{"if":[]}}}}');
  const results = await Promise.all([
    flip(path, 'assing', '25'),
    flip(path, 'assign', '101'),
    flip(path, 'assign', 'on'),
    flip(byHand, 'assign', '25'),
  ]);
  expect(results.map(({ code }) => code)).toEqual([1, 1, 1, 1]);
  expect(results[3]?.stderr).toContain('has rules that were not written here');
  expect(await readFile(path, 'utf8')).toBe(before);
});

test('of two changes at once each is whole, or rejected', async () => {
  const path = await useFlagFile();
  const asked = Array.from({ length: 20 }, (_, number) => setFlags(path, 'all', { percent: number + 1 }));
  const results = await Promise.allSettled(asked);
  const rejected = results.filter(({ status }) => status === 'rejected').length;
  const history = await readHistory(path);
  expect(history.length).toBe(20 - rejected);
  expect(history.length).toBeGreaterThan(0);
  const percents = new Set([...(await readSettings(path)).values()].map(({ percent }) => percent));
  expect([...percents]).toEqual([Object.values(history.at(-1)?.flags ?? {})[0]?.after.percent]);
});
