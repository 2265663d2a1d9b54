import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { jsonSchemaFiles } from '../../client/json-schemas.ts';
import { print, printUncaughtErrors } from '../../platform/text/print.ts';

/* `npm run schemas`: writes the JSON Schemas that the documentation shows. */

printUncaughtErrors();
const folder = new URL('../../docs/schemas/', import.meta.url);
await mkdir(folder, { recursive: true });
for (const [name, text] of jsonSchemaFiles()) await writeFile(new URL(name, folder), text);
print(`${jsonSchemaFiles().size} schemas written to ${fileURLToPath(folder)}`);
