import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { EnvironmentError } from '../errors.ts';

const run = promisify(execFile);

/** A program that a server needs on this machine. */
export interface ToolNeed {
  readonly tool: 'pip' | 'java' | 'mvn';
  /** What it is needed for. */
  readonly reason: string;
  /** The variable that makes it unnecessary by naming a server that exists. */
  readonly insteadVariable: string;
}

const GET: Readonly<Record<ToolNeed['tool'], string>> = {
  pip: 'Python 3 with pip: `apt-get install python3-pip` or `dnf install python3-pip`; Go 1.25 or later does too, in minutes: https://go.dev/dl/',
  java: 'Java 17 or later: `apt-get install default-jre-headless`, `dnf install java-21-openjdk-headless`, or https://adoptium.net/',
  mvn: 'Maven: `apt-get install maven`, `dnf install maven`, or https://maven.apache.org/install.html',
};

const MINIMUM_JAVA = 17;

/** Programs that are needed are not on PATH, or too old; `tools` names them. */
export class MissingToolsError extends EnvironmentError {
  override readonly name = 'MissingToolsError';
  readonly tools: readonly string[];

  constructor(missing: readonly MissingTool[]) {
    super(
      [
        'These tools are needed:',
        ...missing.flatMap(({ tool, problem, needs }) => [
          `  ${tool} ${problem}. It is needed to ${listed(needs.map((need) => need.reason))}.`,
          `      Get ${GET[tool]}`,
          `      Or set ${listed(needs.map((need) => need.insteadVariable))} to use what is running already.`,
        ]),
        'Or use Docker instead: `docker compose up --build`.',
      ].join('\n'),
    );
    this.tools = missing.map(({ tool }) => tool);
  }
}

interface MissingTool {
  readonly tool: ToolNeed['tool'];
  readonly problem: string;
  readonly needs: readonly ToolNeed[];
}

/**
 * Checks that the tools are there.
 *
 * @throws {MissingToolsError} naming every one that is not, and the way to get it.
 */
export async function assertTools(needs: readonly ToolNeed[]): Promise<void> {
  const tools = [...new Set(needs.map((need) => need.tool))];
  const missing = await Promise.all(
    tools.map(async (tool): Promise<MissingTool[]> => {
      const problem = await problemOf(tool);
      return problem === undefined ? [] : [{ tool, problem, needs: needs.filter((need) => need.tool === tool) }];
    }),
  );
  if (missing.flat().length > 0) throw new MissingToolsError(missing.flat());
}

function listed(items: readonly string[]): string {
  return [...new Set(items)].join(' and ');
}

async function problemOf(tool: ToolNeed['tool']): Promise<string | undefined> {
  const output = await (tool === 'pip'
    ? outputOf('python3', ['-m', 'pip', '--version'])
    : outputOf(tool, ['-version']));
  if (output === undefined) return 'was not found on PATH, or does not run';
  if (tool !== 'java') return undefined;
  const version = Number(/version "(\d+)/.exec(output)?.[1] ?? Number.NaN);
  return version < MINIMUM_JAVA ? `is version ${version}` : undefined;
}

/** What a short command prints on both streams, or undefined when it cannot be run or fails within ten seconds. */
export async function outputOf(
  command: string,
  commandArguments: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await run(command, [...commandArguments], { timeout: 10_000, env: environment });
    return stdout + stderr;
  } catch {
    return undefined;
  }
}
