import { join } from 'node:path';
import { inject } from 'vitest';
import { z } from 'zod';
import { type Closable, type Environment, startEnvironment } from '../../dev/kit/environment.ts';
import { readJsonLines } from '../../dev/kit/json-lines.ts';

/** What can be taken away. */
export type Part = 'kafka' | 'workers' | 'temporal' | 'mysql';

/** How it is taken away: its process is killed, or stands still and says nothing. */
export type Failure = 'killed' | 'silent';

/** A request as the API's access log has it. */
const requestLineSchema = z.object({
  /** When it was answered, in milliseconds since 1970. */
  time: z.number(),
  method: z.string(),
  path: z.string(),
  status: z.int(),
  /** From when the API took the request until its answer. */
  milliseconds: z.number(),
});
export type LoggedRequest = z.infer<typeof requestLineSchema>;

/** A whole control plane with servers of its own, which a test may take away and bring back. */
export interface FragileEnvironment extends Closable {
  running: Environment;
  take(part: Part, failure: Failure): Promise<void>;
  /** Brings it back and resolves as soon as it answers; nothing else is restarted. */
  bringBack(part: Part): Promise<void>;
  /** What the API has logged of all requests. */
  loggedRequests(): Promise<LoggedRequest[]>;
}

/** An API without a worker inside, and one worker beside it. */
export function startFragileEnvironment(): Promise<FragileEnvironment> {
  const { adminToken, workflowBundle } = inject('environment');
  const settings = { HOST_ACKNOWLEDGMENT_TIMEOUT_MS: '5000', QUARANTINE_SECONDS: '2' };
  const options = { folder: 'test-degradation', settings, logLevel: 'info', adminToken, workflowBundle };
  return startEnvironment(options, async (environment) => {
    const { supervisor } = environment;
    await environment.startApplication({ embeddedWorker: false });
    const gone = new Set<Part>();
    const nameOf = (part: Part) => (part === 'workers' ? 'worker' : part);
    return {
      running: environment,
      async take(part, failure) {
        if (failure === 'silent') return supervisor.signal(nameOf(part), 'SIGSTOP');
        gone.add(part);
        await supervisor.kill(nameOf(part));
      },
      async bringBack(part) {
        if (gone.delete(part)) await supervisor.startAgain(nameOf(part));
        else supervisor.signal(nameOf(part), 'SIGCONT');
        if (part !== 'workers') await environment.answers(part);
      },
      loggedRequests: () => readJsonLines(requestLineSchema, join(supervisor.folder, 'logs', 'api.log')),
    };
  });
}
