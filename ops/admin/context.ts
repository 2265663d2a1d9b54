import { ENVIRONMENT_FILE, readEnvironmentFile } from '../../platform/env-file.ts';
import { InternalApi } from './internal-api.ts';
import { type Print, printer } from './output.ts';
import { parseAdminConfiguration } from './settings.ts';

/** What a command works with. */
export interface AdminContext {
  api: InternalApi;
  print: Print;
}

/**
 * Reads INTERNAL_URL, or else API_URL, and ADMIN_TOKEN from the environment, or from the file that a running dev environment
 * leaves. Throws a ConfigurationError when neither has them.
 */
export async function openAdminContext({ json }: { json: boolean }): Promise<AdminContext> {
  const { INTERNAL_URL, ...file } = await readEnvironmentFile(ENVIRONMENT_FILE);
  const { apiUrl, ADMIN_TOKEN: adminToken } = parseAdminConfiguration({
    ...file,
    // For another API than that of the dev environment, this would be the wrong one.
    ...(process.env.API_URL === undefined && { INTERNAL_URL }),
    ...process.env,
  });
  return { api: new InternalApi({ apiUrl, adminToken }), print: printer(json) };
}
