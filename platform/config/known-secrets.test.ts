import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseApiConfiguration } from '../../api/settings.ts';
import { PROJECT_FOLDER } from '../../dev/environment/paths.ts';
import { ConfigurationError } from './settings.ts';

const environment = {
  MYSQL_URL: 'mysql://reserved_ip:Zk3vQw0x7d@db.example/reserved_ip',
  TEMPORAL_ADDRESS: '127.0.0.1:7233',
  KAFKA_BROKERS: '127.0.0.1:9092',
  ADMIN_TOKEN: 'Zk3vQw0x7d8mJp2LrT5y',
};

function problemsOf(more: Record<string, string>): string[] {
  try {
    parseApiConfiguration({ ...environment, ...more });
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
}

test('every default secret of the Compose file is rejected in production, by one plain line', async () => {
  const text = await readFile(join(PROJECT_FOLDER, 'docker-compose.yml'), 'utf8');
  const defaults = [...text.matchAll(/\$\{(\w*(?:TOKEN|PASSWORD))\w*:-([^}]+)\}/g)].map(([, , value = '']) => value);
  expect(defaults.length).toBeGreaterThan(4);
  for (const value of defaults) {
    const url = `mysql://reserved_ip:${value}@db.example/reserved_ip`;
    expect(problemsOf({ NODE_ENV: 'production', MYSQL_URL: url }), value).toEqual([
      'MYSQL_URL: the password is one that everybody knows; NODE_ENV=production needs one of your own',
    ]);
  }
  expect(problemsOf({ NODE_ENV: 'production', ADMIN_TOKEN: 'admin-token-for-development' })).toEqual([
    'ADMIN_TOKEN: the token is one that everybody knows; NODE_ENV=production needs one of your own',
  ]);
});

test.each(['aaaaaaaaaaaaaaaaaaaa', 'change-me-change-me', '<your token of 32 bytes>', 'admin-token-secret'])(
  '%s is no admin token for production',
  (token) => {
    expect(problemsOf({ NODE_ENV: 'production', ADMIN_TOKEN: token })).toHaveLength(1);
  },
);

test('a secret of one’s own is taken in production, and a known one in development', () => {
  expect(problemsOf({ NODE_ENV: 'production' })).toEqual([]);
  expect(problemsOf({ ADMIN_TOKEN: 'admin-token-for-development' })).toEqual([]);
  expect(problemsOf({ NODE_ENV: 'development', ADMIN_TOKEN: 'admin-token-for-development' })).toEqual([]);
});
