import { mkdir } from 'node:fs/promises';
import { print, printUncaughtErrors } from '../../platform/text/print.ts';
import { packClient } from './client-package.ts';

/* `npm run client:pack [-- <folder>]`: packs the SDK, as internal services install it; by default into `dist/`. */

printUncaughtErrors();
const [folder = 'dist'] = process.argv.slice(2);
await mkdir(folder, { recursive: true });
print(await packClient(folder));
