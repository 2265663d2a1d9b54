import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { stopRecorded } from './clean-up.ts';
import { EnvironmentError, EnvironmentStoppingError, type ProcessFailedError } from './errors.ts';
import { readRecord, writeRecord } from './process-record.ts';
import { identityOf, isAlive } from './process-table.ts';
import { type ProcessStart, ProcessSupervisor } from './processes.ts';

let folder: string;
let failures: ProcessFailedError[];
let supervisor: ProcessSupervisor;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reserved-ip-processes-'));
  failures = [];
  supervisor = new ProcessSupervisor({ folder, onUnexpectedExit: (failure) => failures.push(failure) });
});

afterEach(async () => {
  supervisor.killAll();
  await supervisor.stop();
  await rm(folder, { recursive: true, force: true });
});

const IGNORES_TERMINATION = "process.on('SIGTERM', () => {}); console.log('deaf'); setInterval(() => {}, 1000)";

function script(code: string, options: Partial<ProcessStart> = {}): ProcessStart {
  return { name: 'child', role: 'application', command: process.execPath, arguments: ['-e', code], ...options };
}

async function waitFor(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 200 && !(await condition()); attempt += 1) await sleep(25);
  expect(await condition()).toBe(true);
}

test('a running child is recorded with its start time, and no longer once it is stopped', async () => {
  const child = await supervisor.start(script('setInterval(() => {}, 1000)'));
  const record = await readRecord(folder);
  expect(record?.processes).toMatchObject([{ pid: child.pid, name: 'child', role: 'application' }]);
  expect(record?.processes[0]?.startTime).toBe((await identityOf(child.pid))?.startTime);
  await supervisor.stop();
  expect(await readRecord(folder)).toBeUndefined();
  expect(await identityOf(child.pid)).toBeUndefined();
  expect(failures).toEqual([]);
});

test('a child that ignores SIGTERM is killed when its time is over', async () => {
  const child = await supervisor.start(script(IGNORES_TERMINATION, { stopTimeoutMs: 200 }));
  await waitFor(async () => (await readFile(child.logFile, 'utf8')).includes('deaf'));
  await child.stop();
  expect((await child.exited).signal).toBe('SIGKILL');
});

test('the application is stopped before the servers', async () => {
  const ended: string[] = [];
  const slow =
    "process.on('SIGTERM', () => setTimeout(() => process.exit(), 300)); console.log('up'); setInterval(() => {}, 1000)";
  const application = await supervisor.start(script(slow, { name: 'application' }));
  const server = await supervisor.start(script('setInterval(() => {}, 1000)', { name: 'server', role: 'server' }));
  void application.exited.then(() => ended.push('application'));
  void server.exited.then(() => ended.push('server'));
  await waitFor(async () => (await readFile(application.logFile, 'utf8')).includes('up'));
  await supervisor.stop();
  expect(ended).toEqual(['application', 'server']);
});

test('a child that dies by itself is reported with the end of its log', async () => {
  await supervisor.start(script("console.error('no more disk'); process.exit(3)"));
  await waitFor(() => failures.length === 1);
  expect(failures[0]?.message).toMatch(/child ended with code 3[\s\S]*no more disk/);
});

test('a tool that fails is an error with the end of its log, one that succeeds is not', async () => {
  await supervisor.run(script('process.exit(0)', { role: 'tool' }));
  await expect(supervisor.run(script("console.log('bad input'); process.exit(1)", { role: 'tool' }))).rejects.toThrow(
    /ended with code 1[\s\S]*bad input/,
  );
});

test('a command that does not exist is named', async () => {
  const start = supervisor.start(script('', { command: '/no/such/command' }));
  await expect(start).rejects.toThrow(/child could not be started \(\/no\/such\/command\)/);
  await expect(start).rejects.toBeInstanceOf(EnvironmentError);
});

test('nothing can be started once everything is being stopped', async () => {
  await supervisor.stop();
  await expect(supervisor.start(script(''))).rejects.toBeInstanceOf(EnvironmentStoppingError);
});

test('what a crashed start left running is stopped, and a process that has got the pid of another is not', async () => {
  const leftover = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' });
  const bystander = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' });
  await Promise.all([once(leftover, 'spawn'), once(bystander, 'spawn')]);
  const [left, other] = [await identityOf(leftover.pid ?? 0), await identityOf(bystander.pid ?? 0)];
  if (left === undefined || other === undefined) throw new Error('the processes are not there');
  const line = { name: 'leftover', role: 'application', command: 'node' } as const;
  writeRecord(folder, [
    { ...left, ...line },
    { ...other, startTime: '1', ...line },
  ]);
  await rewriteOwner(folder);
  const said: string[] = [];
  await stopRecorded(folder, (text) => said.push(text));
  expect(await isAlive(left)).toBe(false);
  expect(await isAlive(other)).toBe(true);
  expect(said).toEqual([`stopped leftover (process ${left.pid})`]);
  expect(await readRecord(folder)).toBeUndefined();
  bystander.kill('SIGKILL');
});

/** The record names this very process as the one that started them; a crashed one is no longer there. */
async function rewriteOwner(inFolder: string): Promise<void> {
  const record = await readRecord(inFolder);
  const owner = { pid: process.pid, startTime: '1' };
  await writeFile(join(inFolder, 'processes.json'), JSON.stringify({ ...record, owner }));
}
