import { type ApiClient, openApiClient } from '../../platform/api-client/client.ts';
import { ENVIRONMENT_FILE, readEnvironmentFile } from '../../platform/env-file.ts';
import { type Print, printer } from './output.ts';
import { parseAdminConfiguration } from './settings.ts';

/** A host that is gone may have many operations waiting for it, which are notified one after the other. */
const TIMEOUT_MS = 60_000;

/** What a command works with. */
export interface AdminContext {
  api: ApiClient;
  print: Print;
}

/**
 * Reads INTERNAL_URL, or else API_URL, and ADMIN_TOKEN from the environment, or from the file that a running dev environment
 * leaves. Throws a ConfigurationError when neither has them.
 */
export async function openAdminContext({ json }: { json: boolean }): Promise<AdminContext> {
  const { INTERNAL_URL, ...file } = await readEnvironmentFile(ENVIRONMENT_FILE);
  const { apiUrl, ADMIN_TOKEN: token } = parseAdminConfiguration({
    ...file,
    // For another API than that of the dev environment, this would be the wrong one.
    ...(process.env.API_URL === undefined && { INTERNAL_URL }),
    ...process.env,
  });
  return { api: openApiClient({ baseUrl: apiUrl, token, timeoutMs: TIMEOUT_MS }), print: printer(json) };
}
