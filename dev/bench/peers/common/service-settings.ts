import { z } from 'zod';

const settingsSchema = z.object({
  PEER_MYSQL_URL: z.url(),
  PEER_KAFKA_BROKERS: z.string().transform((list) => list.split(',')),
  PEER_TOPIC: z.string(),
  PEER_PORT: z.coerce.number().int(),
  /** Where the peer's own server is. */
  PEER_SERVER: z.string(),
});

/** What every peer's service is told by its environment. */
export interface ServiceSettings {
  mysqlUrl: string;
  kafkaBrokers: string[];
  topic: string;
  /** Port to listen on, on loopback. */
  port: number;
  /** Restate's ingress, PostgreSQL's URL or Temporal's address. */
  server: string;
}

/** Reads the settings; throws when one is missing. */
export function readServiceSettings(environment: NodeJS.ProcessEnv): ServiceSettings {
  const settings = settingsSchema.parse(environment);
  return {
    mysqlUrl: settings.PEER_MYSQL_URL,
    kafkaBrokers: settings.PEER_KAFKA_BROKERS,
    topic: settings.PEER_TOPIC,
    port: settings.PEER_PORT,
    server: settings.PEER_SERVER,
  };
}

/** The environment that {@link readServiceSettings} reads. */
export function toEnvironment(settings: ServiceSettings): NodeJS.ProcessEnv {
  return {
    PEER_MYSQL_URL: settings.mysqlUrl,
    PEER_KAFKA_BROKERS: settings.kafkaBrokers.join(','),
    PEER_TOPIC: settings.topic,
    PEER_PORT: String(settings.port),
    PEER_SERVER: settings.server,
  };
}
