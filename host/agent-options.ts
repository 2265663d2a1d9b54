import type { Logger } from 'pino';
import type { AttachmentPolicy } from './attachment-policy.ts';
import type { NetworkDriver } from './driver.ts';

/** How an agent runs. */
export interface AgentOptions {
  /** Base URL of the control plane. */
  apiUrl: string;
  /** The host's own token. */
  token: string;
  /** Name of the host, for the log; the control plane knows it by the token. */
  host: string;
  driver: NetworkDriver;
  /** What may be attached; by default everything that is not special. */
  policy?: AttachmentPolicy;
  /** Ends the agent when aborted. */
  signal: AbortSignal;
  logger: Logger;
  /** Where the highest generations are kept; nowhere when absent. */
  stateFile?: string | null;
  /** Changes of different addresses at a time; default 32. */
  concurrency?: number;
  /** How long one poll waits for a command; default 30, the most that the control plane allows. */
  waitSeconds?: number;
  /** Time between two comparisons with the desired state; default 60,000. */
  reconcileIntervalMs?: number;
  /** How long a stopping agent waits for changes and acknowledgments on their way; default 3,000. */
  stopTimeoutMs?: number;
}
