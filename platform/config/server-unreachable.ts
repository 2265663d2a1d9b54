import { ReadableError, reasonOf } from '../text/readable-error.ts';
import { shown } from '../text/visible.ts';

/** The servers that the control plane stands on, by the setting that says where each is. */
const SETTINGS = { MySQL: 'MYSQL_URL', Temporal: 'TEMPORAL_ADDRESS', Kafka: 'KAFKA_BROKERS' } as const;

/** A server that a process cannot do without does not answer, or does not let it in. */
export class ServerUnreachableError extends ReadableError {
  override readonly name = 'ServerUnreachableError';
  readonly server: keyof typeof SETTINGS;
  /** `host:port`; several with commas. */
  readonly address: string;

  constructor(
    server: keyof typeof SETTINGS,
    address: string,
    cause: unknown,
    advice = `Start it, or correct ${SETTINGS[server]}.`,
  ) {
    const reason = reasonOf(cause).replace(/\.$/, '');
    super(shown`${server} at ${address} cannot be used: ${reason}. ${advice}`, { cause });
    this.server = server;
    this.address = address;
  }
}
