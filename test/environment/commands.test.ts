import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { PROJECT_FOLDER } from '../../dev/environment/paths.ts';
import { freePort, listenOnLoopback } from '../../dev/environment/ports.ts';
import { identityOf, isAlive, type ProcessIdentity } from '../../dev/environment/process-table.ts';
import { IN_CONTACT } from '../../host/agent.ts';
import { readEnvironmentFile } from '../../platform/env-file.ts';
import { useFolder } from '../support/folder.ts';
import { createPrivateEnvironment } from '../support/private-environment.ts';
import { runProgram, startProgram } from '../support/program.ts';

/*
 * The commands work on the checkout they are in, where an environment may be running, so each test has a copy of its own.
 */

/** Of the screen that a start is to fit on. */
const [LINES, COLUMNS] = [24, 100];

const PRODUCT = [
  ...['activities', 'admission', 'api', 'billing', 'client', 'db', 'dev', 'domain'],
  ...['host', 'ops', 'outbox', 'platform', 'workers', 'workflows'],
];

/** A copy of what the environment's commands are made of, without anything that runs or ran. */
async function useCopy(): Promise<string> {
  const folder = await useFolder();
  for (const part of PRODUCT) {
    await cp(join(PROJECT_FOLDER, part), join(folder, part), { recursive: true });
  }
  await cp(join(PROJECT_FOLDER, 'package.json'), join(folder, 'package.json'));
  await symlink(join(PROJECT_FOLDER, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** A process that does nothing until it is stopped. */
async function useProcess(): Promise<ProcessIdentity> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  await once(child, 'spawn');
  const identity = await identityOf(child.pid ?? 0);
  if (!identity) throw new Error('the process is not there');
  return identity;
}

/** Writes what a start leaves behind that has these processes and was started by `owner`. */
async function writeRecordOf(folder: string, owner: ProcessIdentity, processes: ProcessIdentity[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  const entries = processes.map((identity) => ({ ...identity, name: 'api', role: 'application', command: 'node' }));
  await writeFile(join(folder, 'processes.json'), JSON.stringify({ owner, processes: entries }));
}

const DEAD: ProcessIdentity = { pid: 2 ** 22 + 1, startTime: '1' };

describe('down', () => {
  test('does no harm when nothing runs, also when it is repeated', async () => {
    const folder = await useCopy();
    for (let time = 0; time < 2; time++) {
      expect(await runProgram('dev/environment/down.ts', [], { folder })).toEqual({
        code: 0,
        stdout: 'Nothing of this environment is running.\n',
        stderr: '',
      });
    }
  });

  test('stops what a crashed start left running, and nothing else', async () => {
    const folder = await useCopy();
    const [leftover, bystander] = [await useProcess(), await useProcess()];
    await writeRecordOf(join(folder, '.dev'), DEAD, [leftover, { ...bystander, startTime: '1' }]);

    const { code, stdout } = await runProgram('dev/environment/down.ts', [], { folder });

    expect(code).toBe(0);
    expect(stdout).toContain(`stopped api (process ${leftover.pid})`);
    expect(stdout).toContain('The environment is down; its data is kept in .dev/data.');
    expect(await isAlive(leftover)).toBe(false);
    expect(await isAlive(bystander)).toBe(true);
    expect(await runProgram('dev/environment/down.ts', [], { folder })).toMatchObject({
      stdout: 'Nothing of this environment is running.\n',
    });
  });

  test('leaves a test that is running alone', async () => {
    const folder = await useCopy();
    const [owner, server] = [await useProcess(), await useProcess()];
    await writeRecordOf(join(folder, '.dev', 'test'), owner, [server]);
    const { code, stdout } = await runProgram('dev/environment/down.ts', [], { folder });
    expect(code).toBe(0);
    expect(stdout).toContain(`is in use by process ${owner.pid}: left alone`);
    expect(await isAlive(server)).toBe(true);
  });

  test('is not stopped by a record that it cannot understand', async () => {
    const folder = await useCopy();
    await mkdir(join(folder, '.dev'));
    await writeFile(join(folder, '.dev', 'processes.json'), 'half a rec');
    expect(await runProgram('dev/environment/down.ts', [], { folder })).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('a start', () => {
  /** Existing servers are used, so that nothing but the port of the API is needed. */
  function existingServers() {
    const { mysqlUrl, kafkaBrokers, temporalAddress } = inject('environment');
    return { MYSQL_URL: mysqlUrl, KAFKA_BROKERS: kafkaBrokers, TEMPORAL_ADDRESS: temporalAddress };
  }

  test('on a taken port names the port, the process that holds it, and what to do; and leaves nothing', async () => {
    const folder = await useCopy();
    const server = createServer();
    onTestFinished(() => {
      server.close();
    });
    const port = await listenOnLoopback(server);

    const { code, stdout } = await runProgram('dev/environment/start.ts', [], {
      folder,
      environment: { ...existingServers(), API_PORT: String(port) },
    });

    expect(code).toBe(1);
    expect(stdout).toContain(`port ${port} for the API (API_PORT): held by process ${process.pid}`);
    expect(stdout).toContain('npm run down');
    expect(stdout).toMatch(/API_PORT=\d+ npm start/);
    expect(stdout, 'no stack trace').not.toMatch(/^\s+at /m);
    expect(await readdir(join(folder, '.dev'))).not.toContain('processes.json');
  });

  test('beside one whose processes are alive says so, and touches neither', async () => {
    const folder = await useCopy();
    const [owner, api] = [await useProcess(), await useProcess()];
    await writeRecordOf(join(folder, '.dev'), owner, [api]);
    const { code, stdout } = await runProgram('dev/environment/start.ts', [], {
      folder,
      environment: existingServers(),
    });
    expect(code).toBe(1);
    expect(stdout).toContain(`api (process ${api.pid})`);
    expect(stdout).toContain('npm run down');
    expect(await isAlive(api)).toBe(true);
    expect(await isAlive(owner)).toBe(true);
  });

  test('with an existing server that does not answer names it, without its password', async () => {
    const folder = await useCopy();
    const { code, stdout } = await runProgram('dev/environment/start.ts', [], {
      folder,
      environment: { ...existingServers(), MYSQL_URL: 'mysql://root:secret@127.0.0.1:1/reserved_ip' },
    });
    expect(code).toBe(1);
    expect(stdout).toContain('MYSQL_URL=mysql://root:…@127.0.0.1:1/reserved_ip');
    expect(stdout).not.toContain('secret');
  });

  test('names its options when it is asked', async () => {
    const { code, stdout } = await runProgram('dev/environment/start.ts', ['--help'], { folder: await useCopy() });
    expect(code).toBe(0);
    expect(stdout).toContain('--only-servers');
    expect(stdout).toContain('TEMPORAL_CLI');
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(COLUMNS);
  });

  test('refuses an option that it does not know', async () => {
    const { code, stderr } = await runProgram('dev/environment/start.ts', ['--only'], { folder: await useCopy() });
    expect(code).toBe(1);
    expect(stderr).toContain("unknown option '--only'");
  });

  test('prints one screen with what to do next, all of which works, and stops with what it has started', async () => {
    const folder = await useCopy();
    const own = await createPrivateEnvironment({ ownDatabase: true });
    onTestFinished(() => own.close());
    const ports = await Promise.all([freePort(), freePort(), freePort()]);
    const [API_PORT = '', INTERNAL_PORT = '', HOST_API_PORT = ''] = ports.map(String);
    const program = startProgram('dev/environment/start.ts', [], {
      folder,
      environment: {
        ...existingServers(),
        ...{ MYSQL_URL: own.mysqlUrl, TEMPORAL_NAMESPACE: own.namespace, AUDIT_EVERY_SECONDS: '0' },
        ...{ API_PORT, INTERNAL_PORT, HOST_API_PORT },
      },
    });
    await program.printed("-d '{", 60_000);

    const lines = program.output.trimEnd().split('\n');
    // Three servers have a line each when they are started too, and npm prints four of its own.
    expect(lines.length).toBeLessThanOrEqual(LINES - 7);
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(COLUMNS);
    expect(program.output).toMatch(
      /Tried once, in ms: reserve \d+, assign \d+, reassign \d+, unassign \d+, release \d+/,
    );
    const agentLog = await readFile(join(folder, '.dev/logs/host-hv-1.log'), 'utf8');
    expect(agentLog, 'it is waited for').toContain(IN_CONTACT);
    const commands = program.output.slice(program.output.indexOf('  . .dev/env'));
    const shell = spawnSync('sh', ['-ec', commands], { cwd: folder, encoding: 'utf8' });
    expect(shell.status, shell.stderr).toBe(0);
    expect(shell.stdout).toContain('"droplets":[');
    expect(shell.stdout).toMatch(/"reserved_ip":\{"ip":"[\d.]+"/);

    program.signal('SIGINT');
    expect(await program.ended()).toMatchObject({ code: 0, stderr: '' });
    expect(await readdir(join(folder, '.dev'))).not.toContain('processes.json');
  });

  test('of the servers alone says by which settings the processes reach them', async () => {
    const folder = await useCopy();
    const program = startProgram('dev/environment/start.ts', ['--only-servers'], {
      folder,
      environment: { ...existingServers(), API_PORT: '1' },
    });
    await program.printed('npm run worker');
    for (const [name, value] of Object.entries(existingServers())) {
      expect(program.output).toContain(`export ${name}='${value}'`);
    }
    const lines = program.output.trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(LINES - 7);
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(COLUMNS);
    const settings = await readEnvironmentFile(join(folder, '.dev', 'env'));
    expect(settings).toMatchObject({ ...existingServers(), ADMIN_TOKEN: expect.stringMatching(/^\S{16,}$/) });
    expect(await program.ended(), 'none was started here').toMatchObject({ code: 0 });
  });
});
