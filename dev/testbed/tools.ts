import { installMissing, isCommand } from '../environment/packages.ts';
import type { Report } from '../environment/servers/options.ts';
import { run } from './run.ts';

/** The commands that the test bed and the Linux driver need, and the Debian packages that they come in. */
const PACKAGES: Readonly<Record<string, string>> = {
  ip: 'iproute2',
  nft: 'nftables',
  socat: 'socat',
  arping: 'iputils-arping',
  nsenter: 'util-linux',
  sysctl: 'procps',
  curl: 'curl',
  haproxy: 'haproxy',
};

/** Servers of the control plane that are elsewhere cannot be reached from inside a namespace. */
const SERVER_VARIABLES = ['MYSQL_URL', 'KAFKA_BROKERS', 'TEMPORAL_ADDRESS'];

/** Why no test bed can be made here; null when one can. Installs the tools that are missing. */
export async function obstacle(report: Report, environment: NodeJS.ProcessEnv = process.env): Promise<string | null> {
  const named = SERVER_VARIABLES.filter((variable) => environment[variable]);
  if (named.length > 0) return `${named.join(', ')} name servers that cannot be reached from a network namespace`;
  if (process.platform !== 'linux') return 'network namespaces need Linux';
  if (process.getuid?.() !== 0) return 'making network namespaces needs root';
  const name = `rip-probe-${process.pid}`;
  if (!(await isCommand('ip')) && !(await isCommand('apt-get'))) return 'the command ip (iproute2) is missing';
  try {
    await installMissing({ purpose: 'The test bed', packages: PACKAGES, report });
    await run('ip', ['netns', 'add', name]);
    await run('ip', ['netns', 'delete', name]);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
