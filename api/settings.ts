import { z } from 'zod';
import { flag, port } from '../platform/config/fields.ts';
import { isKnownSecret } from '../platform/config/known-secrets.ts';
import { type MysqlSettings, serversSchema } from '../platform/config/servers.ts';
import { type Environment, parseSettings } from '../platform/config/settings.ts';
import { workerFields } from '../workers/settings.ts';
import { apiLimitFields } from './limits.ts';

const apiFields = {
  ...workerFields,
  API_HOST: z.string().default('127.0.0.1'),
  API_PORT: port.default(8080),
  /** Where `/internal` is served; on the public address, if there is no port. */
  INTERNAL_HOST: z.string().optional(),
  INTERNAL_PORT: port.optional(),
  /** The same for `/host`. */
  HOST_API_HOST: z.string().optional(),
  HOST_API_PORT: port.optional(),
  /** How long a stopping API still takes requests, so that a balancer sees it in time, in milliseconds. */
  API_DRAIN_MS: z.coerce.number().int().nonnegative().max(5_000).default(1_000),
  ADMIN_TOKEN: z.string().min(16),
  /** `production` rejects the secrets that everybody knows. */
  NODE_ENV: z.string().optional(),
  /** How often it is written when tokens were used last, in seconds. */
  API_TOKEN_USES_EVERY_SECONDS: z.coerce.number().positive().default(60),
  /** Runs a worker inside the API process, so that Temporal hands it the first task of each operation with the start. */
  EMBEDDED_WORKER: flag.default(false),
  ...apiLimitFields,
};

const apiSchema = z
  .object(apiFields)
  .refine(({ INTERNAL_HOST, INTERNAL_PORT }) => INTERNAL_HOST === undefined || INTERNAL_PORT !== undefined, {
    path: ['INTERNAL_PORT'],
    message: 'is needed with INTERNAL_HOST',
  })
  .refine(({ HOST_API_HOST, HOST_API_PORT }) => HOST_API_HOST === undefined || HOST_API_PORT !== undefined, {
    path: ['HOST_API_PORT'],
    message: 'is needed with HOST_API_HOST',
  })
  .and(serversSchema)
  .superRefine(rejectKnownSecrets);

export type ApiConfiguration = z.infer<typeof apiSchema>;

/** Settings of the API process. Throws {@link ConfigurationError}. */
export function parseApiConfiguration(environment: Environment): ApiConfiguration {
  return parseSettings(apiSchema, environment);
}

/** An installation with a default secret is open to everybody, so it does not start. */
function rejectKnownSecrets(
  settings: { NODE_ENV?: string | undefined; ADMIN_TOKEN: string; mysql: MysqlSettings },
  context: z.core.$RefinementCtx,
): void {
  if (settings.NODE_ENV !== 'production') return;
  const report = (setting: string, what: string) => {
    const message = `${what} is one that everybody knows; NODE_ENV=production needs one of your own`;
    context.addIssue({ code: 'custom', path: [setting], message });
  };
  if (isKnownSecret(settings.ADMIN_TOKEN)) report('ADMIN_TOKEN', 'the token');
  const { password } = new URL(settings.mysql.url);
  if (password !== '' && isKnownSecret(decodeURIComponent(password))) report('MYSQL_URL', 'the password');
}
