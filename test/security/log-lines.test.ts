import { connect } from 'node:net';
import { text as textOfStream } from 'node:stream/consumers';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { createCodecApp } from '../../ops/codec-endpoint/app.ts';
import { startServer } from '../../platform/http/server.ts';
import { createLogger } from '../../platform/logging/logger.ts';
import { withoutSecrets } from '../../platform/logging/secrets.ts';
import { useApp } from '../support/app.ts';
import { useFlagFile, useGateway } from '../support/gateway.ts';
import { plainAttacks, textOf } from './expressions/attacks.ts';
import { cost, findSlow, MOST_MS } from './expressions/cost.ts';
import { FORBIDDEN, HOSTILE } from './hostile-text.ts';

const TOKEN = 'rip_Zk3vQw0123456789abcdefghijklmnopqrstuvwxyz-_';
const lineSchema = z.looseObject({ msg: z.string() });

/** The lines that a logger writes, each without its end. */
function logged(write: (logger: ReturnType<typeof createLogger>) => void): string[] {
  let text = '';
  const destination = {
    write(line: string) {
      text += line;
    },
  };
  write(createLogger({ name: 'test', level: 'trace', destination }));
  return text.split('\n').slice(0, -1);
}

const only = (write: (logger: ReturnType<typeof createLogger>) => void) => {
  const [line = '', ...more] = logged(write);
  expect(more).toEqual([]);
  return lineSchema.parse(JSON.parse(line));
};

describe('a line of the log', () => {
  test.each(HOSTILE)('with %s is one line that shows it, and says the same to who parses it', (_, hostile) => {
    const lines = logged((logger) => {
      logger
        .child({ requestId: hostile })
        .info({ path: hostile, [hostile]: hostile, list: [{ deep: hostile }] }, `said ${hostile}`);
      logger.error({ err: new Error(hostile, { cause: new Error(hostile) }) }, 'failed');
      logger.error(new Error(hostile));
    });
    expect(lines).toHaveLength(3);
    for (const line of lines) expect(line).not.toMatch(FORBIDDEN);
    const parsed = lineSchema.parse(JSON.parse(lines[0] ?? ''));
    expect(parsed).toMatchObject({ requestId: hostile, path: hostile, list: [{ deep: hostile }] });
    expect(parsed.msg).toBe(`said ${hostile}`);
  });

  test('has a path of at most 512 characters, a message of 2,048, a stack of 8,192, and says what is cut', () => {
    const long = 'x'.repeat(15_900);
    const error = new Error(long);
    const line = only((logger) => logger.warn({ path: `/${long}`, err: error, other: long }, long));
    const { path, msg, other, err } = z
      .object({
        path: z.string(),
        msg: z.string(),
        other: z.string(),
        err: z.object({ message: z.string(), stack: z.string() }),
      })
      .parse(line);
    expect([path, msg, other, err.message, err.stack].map(({ length }) => length)).toEqual([
      512, 2_048, 2_048, 2_048, 8_192,
    ]);
    for (const cut of [path, msg, other, err.message]) expect(cut).toMatch(/x… \(cut from 159\d\d characters\)$/);
  });

  test('is bounded however much is in it', () => {
    const wide = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`field${index}`, 'y'.repeat(500)]));
    const [line = ''] = logged((logger) => {
      logger.warn({ wide, list: Array.from({ length: 200 }, () => wide) }, 'much');
    });
    expect(line.length).toBeLessThan(1_000_000);
    expect(lineSchema.parse(JSON.parse(line))).toMatchObject({ level: 40, msg: 'much' });
  });

  test('has no part of a secret that lies across the cut', () => {
    for (let before = 460; before <= 512; before++) {
      const path = `/${'x'.repeat(before)}/${TOKEN}/${'y'.repeat(600)}`;
      expect(JSON.stringify(only((logger) => logger.info({ path }, 'request')))).not.toContain(TOKEN.slice(4, 12));
    }
    for (let before = 1_990; before <= 2_048; before++) {
      const message = `${'x'.repeat(before)} mysql://root:correct-horse@db/${'y'.repeat(90)}`;
      expect(only((logger) => logger.info(message)).msg).not.toContain('corr');
    }
  });

  test.each(['p@ss', 'p:ss', 'p/ss', 'p@@s:/s', 'x://y', 'p"ss', 'a,b@c', '%40p', 'a?b#c', 'p\\ss', "p'ss", '@', ':'])(
    'has no password such as %s of an address',
    (word) => {
      const secret = word.includes('"') ? encodeURIComponent(word) : word;
      for (const around of [
        (url: string) => url,
        (url: string) => `{"url":"${url}"}`,
        (url: string) => `x ${url}, y`,
      ]) {
        const shown = withoutSecrets(around(`mysql://root:begin${secret}end@db:3306/name`));
        expect(shown).not.toContain('begin');
        expect(shown).not.toContain('end@');
        expect(shown).toContain('mysql://root:…@db:3306/name');
      }
    },
  );

  test.each([
    ['a token in an encoded path', `/v2%2F${TOKEN}`],
    ['a token after a letter', `x${TOKEN}`],
    ['a bearer token in an encoded header', `Bearer%20${'k'.repeat(30)}`],
    ['a bearer token after a tab', `bearer\t${'k'.repeat(30)}`],
    ['a password without a user', 'redis://:kkkkkkkkkkkkkkkk@cache'],
    ['the second address of a list', 'http://one:80/,mysql://u:kkkkkkkkkkkkkkkk@db'],
  ])('has no %s', (_, text) => {
    expect(withoutSecrets(text)).not.toMatch(/k{12}|Zk3vQw/);
  });

  test('leaves an address without a password as it is', () => {
    for (const text of ['http://127.0.0.1:8080/v2?a=b', 'http://[::1]:8080/', 'mail x@example.com about http://a/b']) {
      expect(withoutSecrets(text)).toBe(text);
    }
  });

  test('costs no more than 5 ms, whatever 16 kB are in it', () => {
    const logger = createLogger({ level: 'info', destination: { write: () => undefined } });
    const urls = [
      'a://b:',
      '://',
      'a://b:c',
      'mysql://u:p@',
      'rip_',
      'Bearer ',
      'Bearer%20',
      '"a://b:',
      '@',
      'a://b:\n',
    ];
    const attacks = [
      ...plainAttacks(),
      ...urls.flatMap((repeated) => ['', '@', ' ', '"@', '\u2028'].map((end) => ({ start: '', repeated, end }))),
      ...urls.map((start) => ({ start, repeated: 'x', end: '"' })),
    ];
    expect(findSlow((path) => logger.info({ path }, 'request'), attacks)).toBeNull();
    expect(findSlow((message) => logger.info(message), attacks)).toBeNull();
    expect(findSlow((text) => void withoutSecrets(text), attacks)).toBeNull();
  });
});

/** What may stand in a request line or a header as it is. */
const SENDABLE = plainAttacks().filter(({ repeated }) => /^[!-~]+$/.test(repeated) && !/[#?]/.test(repeated));
const ATTACKS = [
  ...SENDABLE.filter(({ repeated }) => repeated.length === 1),
  ...[
    'a://b:',
    '://',
    '%2e',
    '%0a',
    '%c2%80',
    '//',
    '/.',
    '/..',
    'a,',
    ',',
    ';q=',
    '":',
    '\\/',
    'Bearer%20',
    '::',
    '1.',
  ].map((repeated) => ({ start: '', repeated, end: '' })),
];

/** Sends one request as it is and reads the whole answer. */
async function exchange(port: number, path: string, headers: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port });
  socket.write(`DELETE ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n${headers}\r\n`);
  return textOfStream(socket);
}

/** Milliseconds of processor time of this thread, server and client together, of several times the least. */
async function costOfRequest(port: number, path: string, headers: string, enough: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let time = 0; time < 8 && least > enough; time++) {
    const before = process.threadCpuUsage();
    expect(await exchange(port, path, headers)).toMatch(/^HTTP\/1\.1 [2345]/);
    const { user, system } = process.threadCpuUsage(before);
    least = Math.min(least, (user + system) / 1_000);
  }
  return least;
}

const HEADERS = [
  'authorization',
  'x-request-id',
  'idempotency-key',
  'content-type',
  'x-forwarded-for',
  'x-forwarded-host',
];

describe('a request of 16 kB', () => {
  async function servers(): Promise<[name: string, port: number, log: () => string][]> {
    const lines: string[] = [];
    const logger = createLogger({ level: 'info', destination: { write: (line) => void lines.push(line) } });
    const api = await useApp({ logger });
    const { server, port } = await startServer({ fetch: api.fetch, host: '127.0.0.1', port: 0 });
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const gateway = await useGateway({
      flagFile: await useFlagFile(),
      legacyUrl: `http://127.0.0.1:${port}`,
      apiUrl: inject('environment').apiUrl,
    });
    return [
      ['the API', port, () => lines.join('')],
      ['the gateway', Number(new URL(gateway.url).port), gateway.log],
    ];
  }

  test('costs the API and the gateway 5 ms more than a plain one at most, in its path and in each header', async () => {
    for (const [name, port, log] of await servers()) {
      // Compiled first, so that what is compared runs at the same speed.
      for (let time = 0; time < 40; time++) await exchange(port, `/v2/${'x'.repeat(15_000)}`, 'x-plain: 1\r\n');
      const plain = await costOfRequest(port, `/v2/${'x'.repeat(15_000)}`, '', 0);
      const most = plain + MOST_MS;
      for (const attack of ATTACKS) {
        const text = textOf(attack, 15_000);
        const path = `/v2/${text}`;
        expect(await costOfRequest(port, path, '', most), `${name}, path ${attack.repeated}`).toBeLessThan(most);
      }
      for (const header of HEADERS) {
        for (const attack of ATTACKS.filter((_, index) => index % 3 === 0 || index > ATTACKS.length - 17)) {
          const value = textOf(attack, 15_000);
          for (const start of header === 'authorization' ? ['', 'Bearer '] : ['']) {
            const spent = await costOfRequest(port, '/v2/account', `${header}: ${start}${value}\r\n`, most);
            expect(spent, `${name}, ${header}: ${start}${attack.repeated}`).toBeLessThan(most);
          }
        }
      }
      for (const line of log().split('\n')) expect(line.length).toBeLessThan(4_000);
    }
  }, 120_000);

  test('with hostile text in path and headers is logged as lines that show it', async () => {
    for (const [, port, log] of await servers()) {
      const raw = '\u0085\u009b31m';
      await exchange(port, '/v2/reserved_ips/%0a%1b[2J%e2%80%ae', `x-request-id: ${raw}\r\nuser-agent: ${raw}\r\n`);
      await exchange(port, '/v2/x', `x-forwarded-host: ${raw}\r\nauthorization: Bearer ${raw}\r\n`);
      for (const line of log().split('\n').slice(0, -1)) {
        expect(line).not.toMatch(FORBIDDEN);
        expect(() => JSON.parse(line)).not.toThrow();
      }
    }
  });

  test('costs the codec endpoint no more in the origin of a page', async () => {
    const codec = { encode: async () => [], decode: async () => [] };
    const app = createCodecApp({
      codec,
      namespace: 'default',
      names: ['localhost'],
      origins: ['https://ui.example'],
      authentication: null,
    });
    for (const attack of SENDABLE) {
      const origin = `https://${textOf(attack, 15_000)}`;
      let answer: Response | Promise<Response> | undefined;
      const spent = cost(() => {
        answer = app.request('/decode', { method: 'POST', body: '{}', headers: { origin } });
      });
      expect((await answer)?.status).toBe(403);
      expect(spent, attack.repeated).toBeLessThanOrEqual(MOST_MS);
    }
  });
});
