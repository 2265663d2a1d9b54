import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text as textOfStream } from 'node:stream/consumers';
import { pino } from 'pino';
import { beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { createBillingPublisher } from '../../billing/publisher.ts';
import { PROJECT_FOLDER } from '../../dev/environment/paths.ts';
import { historyOf } from '../../edge/flags/flag-file.ts';
import { describeError } from '../../platform/text/print.ts';
import { markdownText, plainLine, shown, visible, visibleJson } from '../../platform/text/visible.ts';
import { setFlags, useFlagFile } from '../support/gateway.ts';
import { useHttpServer } from '../support/http-server.ts';
import { type ProgramEnd, runProgram } from '../support/program.ts';
import { useCustomer } from '../support/reserved.ts';
import { useWorld } from '../support/world.ts';
import { sourcesOf } from './expressions/collect.ts';
import { ALL_HOSTILE, FORBIDDEN, HOSTILE } from './hostile-text.ts';

/** Asserts that a command has printed lines, and in them nothing that a terminal or a reader would take for another thing. */
function expectVisible({ stdout, stderr }: ProgramEnd, what: string): void {
  expect(stdout + stderr, what).not.toBe('');
  for (const line of `${stdout}\n${stderr}`.split('\n')) {
    expect(line, what).not.toMatch(FORBIDDEN);
    expect(line, `${what}: a line of its own`).not.toMatch(/^\s*9 +forged/);
  }
}

/** Every text in a JSON document with hostile text behind it. */
function poisoned(value: unknown): unknown {
  if (typeof value === 'string') return `${value}${ALL_HOSTILE}`;
  if (Array.isArray(value)) return value.map(poisoned);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, poisoned(field)]));
}

/** The real API, but for every text of its answers, which has hostile text behind it: no column can be forgotten. */
async function usePoisonedApi(): Promise<string> {
  const { apiUrl } = inject('environment');
  return useHttpServer(async (request, response) => {
    const sent = await textOfStream(request);
    const answer = await fetch(`${apiUrl}${request.url}`, {
      method: request.method ?? 'GET',
      headers: { authorization: request.headers.authorization ?? '', 'content-type': 'application/json' },
      body: sent === '' ? null : sent,
    });
    const text = await answer.text();
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(text === '' ? '' : JSON.stringify(poisoned(JSON.parse(text))));
  });
}

function admin(apiUrl: string, command: string[]): Promise<ProgramEnd> {
  const environment = { API_URL: apiUrl, ADMIN_TOKEN: inject('environment').adminToken };
  return runProgram('ops/admin/main.ts', command, { environment });
}

/** The names of the commands that a help text lists. */
async function commandsOf(apiUrl: string, path: string[] = []): Promise<string[]> {
  const { stdout } = await admin(apiUrl, [...path, '--help']);
  const [, list = ''] = stdout.split('\nCommands:\n');
  const names = [...list.matchAll(/^ {2}(\S+)/gm)].map(([, name = '']) => name).filter((name) => name !== 'help');
  if (names.length === 0) return [path.join(' ')];
  return (await Promise.all(names.map((name) => commandsOf(apiUrl, [...path, name])))).flat();
}

describe('what an operator’s command prints', () => {
  test('shows the path of a rejected request as it was sent, on its own line', async () => {
    const world = await useWorld({ agents: 0 });
    const { http, id } = await world.account();
    const path = '/v2/reserved_ips/203.0.113.9%0a9%20%20forged%20%20admin%20create%1b%5b2J%e2%80%ae';
    expect((await http.send('DELETE', path)).status).toBeGreaterThanOrEqual(400);
    const list = ['audit-log', 'list', '--account', String(id)];
    const table = await admin(inject('environment').apiUrl, list);
    expectVisible(table, 'audit-log list');
    const json = await admin(inject('environment').apiUrl, ['--json', ...list]);
    expectVisible(json, 'audit-log list --json');
    const { entries } = z
      .object({ entries: z.array(z.looseObject({ subject: z.string() })) })
      .parse(JSON.parse(json.stdout));
    const stored = entries.find(({ subject }) => subject.includes('forged'));
    expect(stored?.subject).toMatch(/203\.0\.113\.9/);
    const line = table.stdout.split('\n').find((text) => text.includes('forged'));
    expect(line).toMatch(/DELETE/);
  });

  test('has every text of the API’s answers visible, in all commands, as table and as JSON', async () => {
    const { world, account } = await useCustomer({ agents: 0 });
    const apiUrl = await usePoisonedApi();
    const host = `${world.region}-printed`;
    const id = String(account.id);
    const commands: Record<string, string[]> = {
      'region put': [world.region, 'A region'],
      'region list': [],
      'pool import': [world.region, `198.18.${account.id % 250}.0/29`],
      'pool list': [],
      'host register': [host, '--region', world.region, '--anchor-cidr', '10.17.0.0/16'],
      'host list': [],
      'host token': [host],
      'host tokens': [host],
      'host revoke-tokens': [host],
      'host gone': [host],
      'host returned': [host],
      'account create': ['--name', 'printed', '--email', 'printed@example.com'],
      'account list': [],
      'account limits': [id, '--droplet-limit', '3'],
      'token create': [id, '--name', 'printed'],
      'token list': [id],
      'token revoke': [id, '999999999'],
      'operator-token create': [`printed-${account.id}`],
      'operator-token list': [],
      'operator-token revoke': [`printed-${account.id}`],
      'pool accounts': [world.region],
      'audit-log list': [],
    };
    expect(Object.keys(commands).sort()).toEqual((await commandsOf(apiUrl)).sort());
    for (const [name, rest] of Object.entries(commands)) {
      for (const json of [[], ['--json']]) {
        const command = [...json, ...name.split(' '), ...rest];
        const end = await admin(apiUrl, command);
        expectVisible(end, command.join(' '));
        if (json.length > 0 && end.code === 0) expect(() => JSON.parse(end.stdout), name).not.toThrow();
      }
    }
    expectVisible(await admin(apiUrl, ['host', 'gone', `${ALL_HOSTILE.replaceAll('\0', '')}`]), 'an unknown host');
    expectVisible(await admin(apiUrl, [`--${ALL_HOSTILE.replaceAll('\0', '')}`]), 'an unknown option');
    expectVisible(await admin(apiUrl, ['account', 'limits', id, '--droplet-limit', 'a\u001bz']), 'a wrong number');
  }, 120_000);

  test('has the users and the history of flags visible, also when the file is broken', async () => {
    const path = await useFlagFile();
    const said = ALL_HOSTILE.replaceAll('\0', '');
    await setFlags(path, 'all', { percent: 10 });
    const flip = (...words: string[]) => runProgram('edge/flip.ts', words, { environment: { EDGE_FLAGS_FILE: path } });
    expectVisible(await flip('assign', '25', '--by', said, '--allow', said, '--deny', `${said}2`), 'flip');
    expectVisible(await flip('--history'), 'flip --history');
    expect((await readFile(historyOf(path), 'utf8')).split('\n')).toHaveLength(3);
    expectVisible(await flip(said), 'an unknown path');
    await appendFile(historyOf(path), `${said.replaceAll('\n', '')}\n`);
    const broken = await flip('--history');
    expectVisible(broken, 'a broken history');
    expect(broken.code).toBe(1);
    await writeFile(path, `{"flags": "${said}`);
    expectVisible(await flip(), 'a broken flag file');
  });

  test('has what other processes wrote to Temporal and to the billing topic visible', async () => {
    const { kafkaBrokers, mysqlUrl, temporalAddress } = inject('environment');
    const account = 2_000_000_000 + Math.floor(Math.random() * 1e8);
    const publisher = createBillingPublisher({ brokers: kafkaBrokers.split(','), logger: pino({ level: 'silent' }) });
    onTestFinished(() => publisher.close());
    const change = { accountId: account, address: '203.0.113.77', dropletId: null, actionId: account } as const;
    await publisher.publish(
      {
        ...change,
        // Named as those of other databases are, which a consistency check of one of them passes over.
        eventId: `action-${account}-${ALL_HOSTILE}`,
        kind: 'reserved',
        region: `nyc3${ALL_HOSTILE}`,
        effectiveAt: '2025-11-01T00:00:00.000Z',
      },
      { timeoutMs: 20_000 },
    );
    const environment = {
      KAFKA_BROKERS: kafkaBrokers,
      MYSQL_URL: mysqlUrl,
      TEMPORAL_ADDRESS: temporalAddress,
      LOG_LEVEL: 'info',
    };
    const statement = ['--account', String(account), '--from', '2025-11-01', '--to', '2025-12-01'];
    for (const more of [[], ['--json']]) {
      const end = await runProgram('ops/billing-statement/main.ts', [...statement, ...more], { environment });
      expectVisible(end, 'billing:statement');
      expect(end.stdout).toContain('203.0.113.77');
    }
    const check = await runProgram('ops/consistency/main.ts', [], { environment });
    expectVisible(check, 'consistency');
    expect(check.stdout).toContain(`action-${account}`);
    const build = 'a\u001b[2J\n9  forged\u202e';
    for (const command of [['status'], ['current', build], ['drained', build], [build]]) {
      expectVisible(await runProgram('ops/deploy/main.ts', command, { environment }), `deploy ${command[0]}`);
    }
  }, 60_000);

  test('has no setting that is wrong as it is, in every process', async () => {
    const wrong = 'a\u001b[2J\n9  forged\u202e\u0085';
    const names = ['MYSQL_URL', 'API_URL', 'LEGACY_URL', 'LOG_LEVEL', 'API_PORT', 'EDGE_PORT', 'TEMPORAL_CODEC_KEYS'];
    const environment = Object.fromEntries(names.map((name) => [name, wrong]));
    for (const script of [
      'api',
      'edge',
      'dev/legacy',
      'workers',
      'ops/migrate',
      'ops/consistency',
      'ops/codec-endpoint',
    ]) {
      const end = await runProgram(`${script}/main.ts`, [], { environment });
      expectVisible(end, script);
      expect(end.code, script).toBe(1);
    }
  }, 60_000);
});

describe('visible text', () => {
  test.each(HOSTILE)('shows %s so that it can be read back', (_, hostile) => {
    const text = visible(hostile);
    expect(text).not.toMatch(FORBIDDEN);
    const readBack = text.replace(/\\(?:u\{([0-9a-f]+)\}|(.))/g, (_all, code: string | undefined, letter: string) => {
      if (code !== undefined) return String.fromCodePoint(Number.parseInt(code, 16));
      return { n: '\n', r: '\r', t: '\t', '\\': '\\' }[letter] ?? '?';
    });
    expect(readBack).toBe(hostile);
    expect(JSON.parse(visibleJson(JSON.stringify({ hostile })))).toEqual({ hostile });
    expect(shown`<${hostile}>`).toBe(`<${text}>`);
  });

  test('leaves the text of all languages as it is', () => {
    for (const text of ['Zürich 東京 Київ', 'दिल्ली', 'שלום', '🙂 e\u0301', 'a b']) expect(visible(text)).toBe(text);
  });

  test.each(HOSTILE)('keeps %s in the message of an error on its line', (_, hostile) => {
    const error = new Error(hostile, { cause: new AggregateError([new Error(hostile), hostile], hostile) });
    for (const line of describeError(error).split('\n')) {
      expect(line).not.toMatch(FORBIDDEN);
      expect(line).not.toMatch(/^\s*9 +forged/);
    }
  });

  test('makes a host’s reason one bounded line', () => {
    expect(plainLine(`no\n\n# device\u001b[2J${'x'.repeat(5_000)}`)).toMatch(/^no {2}# device \[2Jx+$/);
    expect(plainLine('x'.repeat(5_000))).toHaveLength(1_024);
    for (const [, hostile] of HOSTILE) expect(plainLine(hostile)).not.toMatch(FORBIDDEN);
  });

  test.each([
    ['[click](https://evil.example)', '` [click](https://evil.example) `'],
    ['![](//evil.example/x.png)', '` ![](//evil.example/x.png) `'],
    ['see https://evil.example', '` see https://evil.example `'],
    ['www.evil.example', '` www.evil.example `'],
    ['a@evil.example', '` a@evil.example `'],
    ['` ![](x) `` y', '``` ` ![](x) `` y ```'],
    ['<img src=x>', '` <img src=x> `'],
    ['a\n\n# b', '` a  # b `'],
    ['waiting for hv-1 to attach 203.0.113.9', 'waiting for hv-1 to attach 203.0.113.9'],
  ])('makes no link, image or markup of %s in Markdown', (text, expected) => {
    expect(markdownText(text)).toBe(expected);
  });
});

describe('the sources', () => {
  let sources: { file: string; text: string }[];
  beforeAll(async () => {
    const files = await sourcesOf(PROJECT_FOLDER);
    sources = await Promise.all(
      files.map(async (file) => ({ file, text: await readFile(join(PROJECT_FOLDER, file), 'utf8') })),
    );
  });

  test('print by platform/text/print.ts alone', () => {
    const direct = sources.filter(({ text }) => /\bconsole\.|process\.(stdout|stderr)\.write|new Command\(/.test(text));
    expect(direct.map(({ file }) => file)).toEqual(['dev/bootstrap.mjs', 'platform/text/print.ts']);
  });

  test('log by platform/logging/logger.ts alone, but for logs that nobody sees', () => {
    const own = sources.filter(({ text }) => /\bpino\((?!\{ level: 'silent' \}\))/.test(text));
    expect(own.map(({ file }) => file)).toEqual(['platform/logging/logger.ts']);
  });

  test('print what nobody catches as everything else, in every program of package.json', async () => {
    const { scripts } = z
      .object({ scripts: z.record(z.string(), z.string()) })
      .parse(JSON.parse(await readFile(join(PROJECT_FOLDER, 'package.json'), 'utf8')));
    const programs = Object.values(scripts).flatMap(
      (command) => /(?:^node |mjs )(?!test\/)(\S+\.ts)/.exec(command)?.[1] ?? [],
    );
    expect(programs.length).toBeGreaterThan(15);
    for (const program of programs) {
      const text = sources.find(({ file }) => file === program)?.text ?? '';
      expect(text, program).toMatch(/printUncaughtErrors\(\)|runProcess\(|commandLine\(|runAsTestbed\(/);
    }
  });
});
