import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { codePathsNamed } from '../../../edge/code-paths.ts';
import { changeSettings } from '../../../edge/flags/flag-file.ts';
import { PROJECT_FOLDER } from '../../environment/paths.ts';
import { freePort } from '../../environment/ports.ts';
import type { RunningProcess } from '../../environment/processes.ts';
import { untilReady } from '../../environment/ready.ts';
import { createAuthority } from '../../kit/certificates.ts';

import type { BenchStack } from '../stack.ts';

const READY_TIMEOUT_MS = 60_000;

/** How customers reach the API. */
export interface PublicPath {
  /** Where their TLS ends. */
  tlsUrl: string;
  /** The gateway behind it, in the clear. */
  gatewayUrl: string;
  /** PEM of the authority of the certificate at `tlsUrl`. */
  certificateAuthority: string;
}

/**
 * Starts the gateway, with every flag at 100 %, and a balancer in front of it that ends TLS, as processes of their own.
 * They stop with the stack.
 */
export async function startPublicPath(stack: BenchStack): Promise<PublicPath> {
  const folder = join(stack.supervisor.folder, 'public-path');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const authority = await createAuthority(folder, 'authority');
  const server = await authority.issue('server');
  const flagFile = join(folder, 'flags.json');
  const change = { by: 'bench', codePaths: codePathsNamed('all') };
  await changeSettings(flagFile, { ...change, change: (before) => ({ ...before, on: true, percent: 100 }) });

  const gatewayPort = await freePort();
  const gateway = await start(stack, 'gateway', 'edge/main.ts', {
    EDGE_PORT: String(gatewayPort),
    EDGE_FLAGS_FILE: flagFile,
    API_URL: stack.apiUrl,
    EDGE_DEFAULT_UPSTREAM: 'new',
    // Nothing is sent there, so nobody need listen.
    LEGACY_URL: 'http://127.0.0.1:9',
    MYSQL_URL: stack.mysqlUrl,
    LOG_LEVEL: 'warn',
  });
  const tlsPort = await freePort();
  await start(stack, 'terminator', 'dev/bench/services/terminator.ts', {
    TERMINATOR_TARGET: `127.0.0.1:${gatewayPort}`,
    TERMINATOR_PORT: String(tlsPort),
    TLS_CA: authority.path,
    TLS_CERT: server.certificate,
    TLS_KEY: server.key,
  });
  const gatewayUrl = `http://127.0.0.1:${gatewayPort}`;
  await untilReady(gateway, READY_TIMEOUT_MS, async () => {
    await (await fetch(`${gatewayUrl}/v2/account`)).body?.cancel();
  });
  return {
    gatewayUrl,
    tlsUrl: `https://localhost:${tlsPort}`,
    certificateAuthority: await readFile(authority.path, 'utf8'),
  };
}

function start(
  { supervisor }: BenchStack,
  name: string,
  script: string,
  environment: Record<string, string>,
): Promise<RunningProcess> {
  return supervisor.start({
    name,
    role: 'application',
    command: process.execPath,
    arguments: [join(PROJECT_FOLDER, script)],
    environment: { ...process.env, ...environment },
  });
}
