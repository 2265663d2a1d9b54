import { isIP } from 'node:net';
import { z } from 'zod';
import { type CodecKeys, codecKeysSchema } from './codec-keys.ts';
import { type Environment, parseSettings } from './settings.ts';
import { fileSchema, readTls, type TlsSetting, type TlsSettings } from './tls.ts';

/*
 * How to reach the three servers that the control plane stands on.
 */

/** How to reach MySQL. */
export interface MysqlSettings {
  /** `mysql://user:password@host:port/database` */
  url: string;
  /** Most connections at a time; default 20. */
  poolSize?: number;
  /** Default null: in the clear. */
  tls?: TlsSettings | null;
}

/** How to reach Kafka. */
export interface KafkaSettings {
  /** `host:port` each. */
  brokers: string[];
  /** Default null: in the clear. */
  tls?: TlsSettings | null;
}

/** How to reach Temporal, and what it may read. */
export interface TemporalSettings {
  /** `host:port` */
  address: string;
  namespace: string;
  /** Default null: in the clear. `serverName` is the name that the certificate must have, if not the address's. */
  tls?: (TlsSettings & { serverName: string | null }) | null;
  /** Keys of the payload codec; null without one. */
  codec: CodecKeys | null;
}

const flag = z.enum(['true', 'false']).transform((text) => text === 'true');

export const mysqlSchema = z
  .object({
    MYSQL_URL: z.url({ protocol: /^mysql$/ }),
    MYSQL_POOL_SIZE: z.coerce.number().int().min(1).default(20),
    MYSQL_TLS: flag.optional(),
    MYSQL_TLS_CA: fileSchema.optional(),
    MYSQL_TLS_CERT: fileSchema.optional(),
    MYSQL_TLS_KEY: fileSchema.optional(),
  })
  .transform((fields, context): { mysql: MysqlSettings } => {
    const tls = readTls(
      {
        enabled: fields.MYSQL_TLS,
        certificateAuthority: fields.MYSQL_TLS_CA,
        certificate: fields.MYSQL_TLS_CERT,
        key: fields.MYSQL_TLS_KEY,
      },
      issueReporter(context, 'MYSQL'),
    );
    const { hostname } = new URL(fields.MYSQL_URL);
    // The driver compares certificates with names only.
    if (tls && isIP(hostname.replace(/^\[|\]$/g, ''))) {
      context.addIssue({ code: 'custom', path: ['MYSQL_URL'], message: 'needs a host name for TLS, not an address' });
    }
    return { mysql: { url: fields.MYSQL_URL, poolSize: fields.MYSQL_POOL_SIZE, tls } };
  });

export const kafkaSchema = z
  .object({
    KAFKA_BROKERS: z.string().transform((text) => text.split(',').map((broker) => broker.trim())),
    KAFKA_TLS: flag.optional(),
    KAFKA_TLS_CA: fileSchema.optional(),
    KAFKA_TLS_CERT: fileSchema.optional(),
    KAFKA_TLS_KEY: fileSchema.optional(),
  })
  .transform((fields, context): { kafka: KafkaSettings } => {
    const tls = readTls(
      {
        enabled: fields.KAFKA_TLS,
        certificateAuthority: fields.KAFKA_TLS_CA,
        certificate: fields.KAFKA_TLS_CERT,
        key: fields.KAFKA_TLS_KEY,
      },
      issueReporter(context, 'KAFKA'),
    );
    return { kafka: { brokers: fields.KAFKA_BROKERS, tls } };
  });

export const temporalSchema = z
  .object({
    TEMPORAL_ADDRESS: z.string().min(1),
    TEMPORAL_NAMESPACE: z.string().min(1).default('default'),
    TEMPORAL_TLS: flag.optional(),
    TEMPORAL_TLS_CA: fileSchema.optional(),
    TEMPORAL_TLS_CERT: fileSchema.optional(),
    TEMPORAL_TLS_KEY: fileSchema.optional(),
    TEMPORAL_TLS_SERVER_NAME: z.string().min(1).optional(),
    TEMPORAL_CODEC_KEYS: codecKeysSchema.optional(),
  })
  .transform((fields, context): { temporal: TemporalSettings } => {
    const tls = readTls(
      {
        enabled: fields.TEMPORAL_TLS,
        certificateAuthority: fields.TEMPORAL_TLS_CA,
        certificate: fields.TEMPORAL_TLS_CERT,
        key: fields.TEMPORAL_TLS_KEY,
      },
      issueReporter(context, 'TEMPORAL'),
    );
    return {
      temporal: {
        address: fields.TEMPORAL_ADDRESS,
        namespace: fields.TEMPORAL_NAMESPACE,
        tls: tls && { ...tls, serverName: fields.TEMPORAL_TLS_SERVER_NAME ?? null },
        codec: fields.TEMPORAL_CODEC_KEYS ?? null,
      },
    };
  });

/** All three. */
export const serversSchema = mysqlSchema.and(temporalSchema).and(kafkaSchema);

/** How to reach MySQL. Throws {@link ConfigurationError}. */
export function parseMysqlSettings(environment: Environment): MysqlSettings {
  return parseSettings(mysqlSchema, environment).mysql;
}

/** How to reach Kafka. Throws {@link ConfigurationError}. */
export function parseKafkaSettings(environment: Environment): KafkaSettings {
  return parseSettings(kafkaSchema, environment).kafka;
}

/** How to reach Temporal. Throws {@link ConfigurationError}. */
export function parseTemporalSettings(environment: Environment): TemporalSettings {
  return parseSettings(temporalSchema, environment).temporal;
}

function issueReporter(context: z.core.$RefinementCtx, server: string): (setting: TlsSetting, message: string) => void {
  return (setting, message) => {
    context.addIssue({
      code: 'custom',
      path: [`${server}_${setting}`],
      message: message.replaceAll('TLS_', `${server}_TLS_`),
    });
  };
}
