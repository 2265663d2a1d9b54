import type { Ports } from '../ports.ts';
import type { ProcessSupervisor } from '../processes.ts';

/** Takes one line of progress for the person who waits. */
export type Report = (line: string) => void;

/** What getting a server onto this machine needs. */
export interface FetchContext {
  readonly supervisor: ProcessSupervisor;
  readonly cacheFolder: string;
  readonly report: Report;
  readonly environment: NodeJS.ProcessEnv;
  /** Runs the tasks of one repository one after the other: it is not made for two at a time. */
  readonly maven: Maven;
}

/** With it a server takes nobody but clients with a certificate of the same authority. Paths of PEM files. */
export interface ServerTls {
  readonly certificateAuthority: string;
  /** For `localhost` and 127.0.0.1. */
  readonly certificate: string;
  readonly key: string;
}

/** What the start of each server gets. */
export interface ServerContext extends FetchContext {
  readonly dataFolder: string;
  readonly ports: Ports;
  /** With it MySQL and Kafka speak TLS only. */
  readonly tls?: ServerTls;
  /** Statements that MySQL runs at its start, after those that make the user of the application. */
  readonly mysqlInitSql?: string;
  /** Where clients are told to find Kafka; by default where it listens. */
  readonly kafkaAdvertisedPort?: number;
}

/**
 * Runs `mvn` with arguments; `label` says what for, and `repository` where Maven keeps what it downloads: a folder of this
 * download alone, because what lies in the user's own is not checked again.
 */
export type Maven = (label: string, repository: string, mavenArguments: readonly string[]) => Promise<void>;
