import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { z } from 'zod';
import { PROJECT_FOLDER } from '../../dev/environment/paths.ts';
import { parseJson } from '../../dev/kit/http.ts';

const run = promisify(execFile);

const ATTEMPTS = 3;
const PAUSE_MS = 2_000;
const TIMEOUT_MS = 60_000;
const MOST_OUTPUT_BYTES = 64 * 1024 * 1024;

/** What the registry knows about the packages that production installs. */
export type DependencyCheck =
  | { kind: 'clean' }
  /** High and critical ones, a line each. */
  | { kind: 'vulnerable'; advisories: string[] }
  | { kind: 'not asked'; reason: string };

const advisorySchema = z.looseObject({ title: z.string(), url: z.string() });
const reportSchema = z.object({
  auditReportVersion: z.literal(2),
  vulnerabilities: z.record(
    z.string(),
    z.looseObject({ severity: z.string(), via: z.array(z.union([z.string(), advisorySchema])) }),
  ),
});
const failureSchema = z.looseObject({ message: z.string() });

/** Asks the registry by npm's own audit, and again when it does not answer. */
export async function checkDependencies(environment: NodeJS.ProcessEnv, pauseMs = PAUSE_MS): Promise<DependencyCheck> {
  let reason = '';
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    if (attempt > 1) await sleep(pauseMs);
    const output = await npmAudit(environment);
    const report = reportSchema.safeParse(parseJson(output));
    if (report.success) return judge(report.data);
    reason = failureSchema.safeParse(parseJson(output)).data?.message ?? (output.slice(0, 300) || 'npm said nothing');
  }
  return { kind: 'not asked', reason };
}

function judge({ vulnerabilities }: z.infer<typeof reportSchema>): DependencyCheck {
  const advisories = Object.entries(vulnerabilities)
    .filter(([, { severity }]) => severity === 'high' || severity === 'critical')
    .map(([name, { severity, via }]) => {
      const causes = via.map((cause) => (typeof cause === 'string' ? `by ${cause}` : `${cause.title} (${cause.url})`));
      return `${name}: ${severity}: ${causes.join('; ')}`;
    });
  return advisories.length === 0 ? { kind: 'clean' } : { kind: 'vulnerable', advisories };
}

/** npm's report, or its error; it ends with a code of its own when it finds something. */
async function npmAudit(environment: NodeJS.ProcessEnv): Promise<string> {
  const options = { cwd: PROJECT_FOLDER, env: environment, timeout: TIMEOUT_MS, maxBuffer: MOST_OUTPUT_BYTES };
  try {
    return (await run('npm', ['audit', '--omit=dev', '--json', '--fetch-retries=0'], options)).stdout;
  } catch (error) {
    const { stdout } = z.object({ stdout: z.string() }).catch({ stdout: '' }).parse(error);
    return stdout || (error instanceof Error ? error.message : String(error));
  }
}
