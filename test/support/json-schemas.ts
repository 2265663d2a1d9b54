import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { z } from 'zod';
import { PROJECT_FOLDER } from '../../dev/environment/paths.ts';

/** Where the JSON Schemas of the documentation are. */
export const SCHEMA_FOLDER = join(PROJECT_FOLDER, 'docs/schemas');

/** What checks against each of them, by the name of its file. */
export async function validators(): Promise<Map<string, ValidateFunction>> {
  const ajv = new Ajv2020({ strict: false });
  formats.default(ajv);
  const files = await readdir(SCHEMA_FOLDER);
  const schemas = await Promise.all(
    files.map(
      async (file) =>
        [file, z.looseObject({}).parse(JSON.parse(await readFile(join(SCHEMA_FOLDER, file), 'utf8')))] as const,
    ),
  );
  return new Map(schemas.map(([file, schema]) => [file, ajv.compile(schema)]));
}
