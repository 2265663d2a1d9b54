import { describe, expect, test } from 'vitest';
import { createLogger } from './logger.ts';

function logged(write: (logger: ReturnType<typeof createLogger>) => void): string {
  let text = '';
  const destination = {
    write(line: string) {
      text += line;
    },
  };
  write(createLogger({ name: 'test', level: 'trace', destination }));
  return text;
}

describe('the log of a process', () => {
  test.each([
    ['a customer’s token', 'rip_Zk3vQw0123456789abcdefghijklmnopqrstuvwxyz-_', 'rip_…'],
    ['a host’s token', 'riph_Zk3vQw0123456789abcdefghijklmnopqrstuvwxyz-_', 'riph_…'],
    ['an operator’s token', 'ripo_Zk3vQw0123456789abcdefghijklmnopqrstuvwxyz-_', 'ripo_…'],
    ['an admin token in a header', 'authorization: Bearer abcdefgh12345678', 'Bearer …'],
    ['the password of a database', 'mysql://user:pass-word@db.example:3306/reserved_ip', 'mysql://user:…@db.example'],
  ])('has %s masked, in messages, fields, paths and errors', (_, secret, masked) => {
    const text = logged((logger) => {
      logger.info({ path: `/v2/${secret}`, deep: { inner: [secret] } }, `message ${secret}`);
      logger.error({ err: new Error(`broken: ${secret}`, { cause: new Error(secret) }) }, 'failed');
    });
    expect(text).not.toContain(secret);
    expect(text).toContain(masked);
    for (const line of text.trim().split('\n')) expect(() => JSON.parse(line)).not.toThrow();
  });

  test('is left as it is otherwise', () => {
    const text = logged((logger) => logger.info({ url: 'http://127.0.0.1:8080', requestId: 'a-b' }, 'rip_off'));
    expect(JSON.parse(text)).toMatchObject({ name: 'test', url: 'http://127.0.0.1:8080', msg: 'rip_off' });
  });
});
