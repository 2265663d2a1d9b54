import { z } from 'zod';
import { codecKeysSchema } from '../../platform/config/codec-keys.ts';
import { type Environment, parseSettings } from '../../platform/config/settings.ts';
import { parseHost } from '../../platform/http/host.ts';

/** Whose access tokens the codec endpoint takes: those the Web UI's users sign in with. */
export interface CodecAuthentication {
  /** Where the identity provider publishes its keys. */
  jwksUrl: string;
  issuer: string;
  audience: string;
}

const LOOPBACK = ['127.0.0.1', '::1', 'localhost'];
const EVERYWHERE = ['0.0.0.0', '::'];
const DEVELOPMENT_UI = 'http://127.0.0.1:8233,http://localhost:8233';

const codecEndpointSchema = z
  .object({
    TEMPORAL_NAMESPACE: z.string().min(1).default('default'),
    TEMPORAL_CODEC_KEYS: codecKeysSchema,
    CODEC_HOST: z.string().default('127.0.0.1'),
    CODEC_PORT: z.coerce.number().int().min(0).max(65_535).default(8234),
    /** Names by which browsers reach it, separated by commas; default what it listens on. */
    CODEC_HOSTS: z
      .string()
      .transform((text) => text.split(',').map((name) => name.trim()))
      .optional(),
    /** Origins of the Web UI, separated by commas. */
    CODEC_UI_ORIGINS: z
      .string()
      .default(DEVELOPMENT_UI)
      .transform((text) => text.split(',').map((origin) => origin.trim())),
    CODEC_JWKS_URL: z.url().optional(),
    CODEC_JWT_ISSUER: z.string().min(1).optional(),
    CODEC_JWT_AUDIENCE: z.string().min(1).optional(),
  })
  .transform((fields, context) => {
    const { CODEC_JWKS_URL: jwksUrl, CODEC_JWT_ISSUER: issuer, CODEC_JWT_AUDIENCE: audience } = fields;
    const report = (setting: string, message: string) => context.addIssue({ code: 'custom', path: [setting], message });
    if (jwksUrl === undefined && !LOOPBACK.includes(fields.CODEC_HOST)) {
      report('CODEC_HOST', 'is not loopback, so callers must prove who they are: set CODEC_JWKS_URL');
    }
    if (jwksUrl !== undefined && issuer === undefined) report('CODEC_JWT_ISSUER', 'is needed with CODEC_JWKS_URL');
    if (jwksUrl !== undefined && audience === undefined) report('CODEC_JWT_AUDIENCE', 'is needed with CODEC_JWKS_URL');
    if (fields.CODEC_HOSTS === undefined && EVERYWHERE.includes(fields.CODEC_HOST)) {
      report('CODEC_HOSTS', 'is needed: a CODEC_HOST of all addresses does not say by which name browsers reach it');
    }
    const listensOn = LOOPBACK.includes(fields.CODEC_HOST) ? LOOPBACK : [fields.CODEC_HOST];
    const names = (fields.CODEC_HOSTS ?? listensOn).map((name) => {
      const host = parseHost(name.includes(':') && !name.startsWith('[') ? `[${name}]` : name);
      if (host === null || host.port !== null) report('CODEC_HOSTS', `${name} is no name or address without a port`);
      return host?.name ?? '';
    });
    const authentication: CodecAuthentication | null =
      jwksUrl !== undefined && issuer !== undefined && audience !== undefined ? { jwksUrl, issuer, audience } : null;
    return {
      namespace: fields.TEMPORAL_NAMESPACE,
      keys: fields.TEMPORAL_CODEC_KEYS,
      host: fields.CODEC_HOST,
      port: fields.CODEC_PORT,
      names,
      origins: fields.CODEC_UI_ORIGINS,
      authentication,
    };
  });

export type CodecEndpointConfiguration = z.infer<typeof codecEndpointSchema>;

/** Settings of the codec endpoint. Throws {@link ConfigurationError}. */
export function parseCodecEndpointConfiguration(environment: Environment): CodecEndpointConfiguration {
  return parseSettings(codecEndpointSchema, environment);
}
