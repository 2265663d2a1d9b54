import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { PROJECT_FOLDER } from '../../dev/environment/paths.ts';
import { readDocuments } from './documents.ts';

const documents = readDocuments();

describe('what the documents name is there:', () => {
  test('every file and every heading that a link leads to', () => {
    const anchors = new Map(documents.map((document) => [document.path, document.anchors]));
    const broken: string[] = [];
    let checked = 0;
    for (const { path, links } of documents) {
      for (const link of links.filter((target) => !/^[a-z]+:/.test(target))) {
        checked++;
        const [file = '', anchor] = link.split('#');
        const target = file === '' ? path : normalize(join(dirname(path), file));
        const isThere = existsSync(join(PROJECT_FOLDER, target)) && (!anchor || anchors.get(target)?.has(anchor));
        if (!isThere) broken.push(`${path}: ${link}`);
      }
    }
    expect(broken).toEqual([]);
    expect(checked).toBeGreaterThan(50);
  });

  test('every file and folder of the project', () => {
    const folders = readdirSync(PROJECT_FOLDER, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && /^[a-z]/.test(entry.name))
      .map((entry) => entry.name)
      .filter((name) => !['node_modules', 'dist'].includes(name));
    const named = new RegExp(`(?<![\\w./<…-])(?:${folders.join('|')})/[\\w./*-]*(?![\\w<…:])`, 'g');
    const missing: string[] = [];
    let checked = 0;
    for (const { path, code } of documents) {
      for (const [name] of code.flatMap((text) => [...text.matchAll(named)])) {
        const file = name.replace(/\.$/, '');
        // Ids of workflows look like paths, and what is installed need not be there.
        if (file.startsWith('billing/action') || file.includes('node_modules')) continue;
        checked++;
        // A test may be named without its ending.
        const isThere = [file, `${file}.test.ts`].some((one) => globSync(one, { cwd: PROJECT_FOLDER }).length > 0);
        if (!isThere) missing.push(`${path}: ${file}`);
      }
    }
    expect(missing).toEqual([]);
    expect(checked).toBeGreaterThan(100);
  });

  test('every script of `npm run`', () => {
    const manifest = readFileSync(join(PROJECT_FOLDER, 'package.json'), 'utf8');
    const { scripts } = z.object({ scripts: z.record(z.string(), z.string()) }).parse(JSON.parse(manifest));
    const named = documents.flatMap(({ path, code }) =>
      code.flatMap((text) =>
        [...text.matchAll(/npm run (?:--silent )?([\w:-]+)/g)].map(([, name = '']) => ({ path, name })),
      ),
    );
    expect(named.filter(({ name }) => !(name in scripts))).toEqual([]);
    expect(named.length).toBeGreaterThan(20);
  });
});
