import { randomInt } from 'node:crypto';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { describe, expect, test } from 'vitest';
import { useHttpServer } from '../support/http-server.ts';
import { runProgram } from '../support/program.ts';
import { checkDependencies } from './check.ts';

/** A registry that knows these advisories; the answer to npm is null when it does not take the question. */
async function useRegistry(advisories: object | null): Promise<Record<string, string>> {
  const app = new Hono();
  app.post('/-/npm/v1/security/advisories/bulk', (c) =>
    advisories === null ? c.body(null, 405) : c.json(advisories, 200),
  );
  return { npm_config_registry: `${await useHttpServer(getRequestListener(app.fetch))}/` };
}

/** Under a number of its own, because npm remembers what it has made of one. */
function advisory(severity: string) {
  return {
    id: randomInt(2 ** 40),
    url: 'https://example.com/advisory',
    title: 'Anybody may enter',
    severity,
    vulnerable_versions: '*',
  };
}

const check = (environment: Record<string, string>) => checkDependencies({ ...process.env, ...environment }, 10);

describe('the check of dependencies', () => {
  test('fails on a critical advisory about a package that production installs, and names it', async () => {
    const environment = await useRegistry({ hono: [advisory('critical')] });
    expect(await check(environment)).toMatchObject({
      kind: 'vulnerable',
      advisories: expect.arrayContaining([expect.stringContaining('hono: critical: Anybody may enter')]),
    });
    const { code, stderr } = await runProgram('test/dependencies/main.ts', [], { environment });
    expect(code).toBe(1);
    expect(stderr).toContain('https://example.com/advisory');
  });

  test('passes on lesser ones, and on those about what only tests use', async () => {
    expect(await check(await useRegistry({ hono: [advisory('moderate')] }))).toEqual({ kind: 'clean' });
    expect(await check(await useRegistry({ vitest: [advisory('critical')] }))).toEqual({ kind: 'clean' });
  });

  test('does not fail because the registry does not answer, and says so loudly', async () => {
    const environment = await useRegistry(null);
    expect(await check(environment)).toMatchObject({ kind: 'not asked', reason: expect.stringContaining('405') });
    const { code, stderr } = await runProgram('test/dependencies/main.ts', [], { environment });
    expect(code).toBe(0);
    expect(stderr).toContain('DEPENDENCIES WERE NOT AUDITED');
  });
});
