import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { print, printUncaughtErrors } from '../text/print.ts';
import { jsonSchemaFiles } from './json-schemas.ts';

/* `npm run schemas`: writes the JSON Schemas that the documentation shows. */

printUncaughtErrors();
const folder = new URL('../docs/schemas/', import.meta.url);
await mkdir(folder, { recursive: true });
for (const [name, text] of jsonSchemaFiles()) await writeFile(new URL(name, folder), text);
print(`${jsonSchemaFiles().size} schemas written to ${fileURLToPath(folder)}`);
