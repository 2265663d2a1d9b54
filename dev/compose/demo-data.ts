import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readEnvironmentFile, writeEnvironmentFile } from '../../platform/env-file.ts';
import { print, printUncaughtErrors } from '../../platform/text/print.ts';
import { visible } from '../../platform/text/visible.ts';
import { makeDemoData } from '../environment/demo-data.ts';

printUncaughtErrors();

/*
 * The demo data for Docker Compose: made over the API, with the tokens left in a folder that the services share:
 * `env` for people, and `<host>.token` for each host agent, which sees no other token.
 */

const { API_URL = '', INTERNAL_URL, HOST_API_URL, ADMIN_TOKEN = '', TOKEN_FOLDER = '/tokens' } = process.env;
await mkdir(TOKEN_FOLDER, { recursive: true });
const environmentFile = join(TOKEN_FOLDER, 'env');
const earlier = await readEnvironmentFile(environmentFile);
const data = await makeDemoData({
  apiUrl: API_URL,
  ...(INTERNAL_URL && { internalUrl: INTERNAL_URL }),
  ...(HOST_API_URL && { hostApiUrl: HOST_API_URL }),
  adminToken: ADMIN_TOKEN,
  earlier,
  report: (line) => print(visible(line)),
});
for (const host of data.hosts) {
  await writeFile(join(TOKEN_FOLDER, `${host.name}.token`), host.token, { mode: 0o600 });
}
await writeEnvironmentFile(environmentFile, {
  API_TOKEN: data.apiToken,
  OTHER_API_TOKEN: data.otherApiToken,
  ...Object.fromEntries(data.hosts.map((host) => [host.tokenVariable, host.token])),
});
