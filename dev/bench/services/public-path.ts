import { readFile } from 'node:fs/promises';
import { codePathsNamed } from '../../../edge/code-paths.ts';
import { changeSettings } from '../../../edge/flags/flag-file.ts';
import { freePort } from '../../environment/ports.ts';
import { createAuthority } from '../../kit/certificates.ts';
import type { Environment } from '../../kit/environment.ts';
import { startGateway } from '../../kit/upstreams.ts';

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
 * They stop with the environment.
 */
export async function startPublicPath(environment: Environment): Promise<PublicPath> {
  const authority = await createAuthority(environment.dataFolder, 'authority');
  const server = await authority.issue('server');
  const change = { by: 'bench', codePaths: codePathsNamed('all') };
  await changeSettings(environment.flagFile, {
    ...change,
    change: (before) => ({ ...before, on: true, percent: 100 }),
  });
  const gateway = await startGateway(environment, { variables: { EDGE_DEFAULT_UPSTREAM: 'new' } });
  const tlsPort = await freePort();
  await environment.startScript('terminator', 'dev/bench/services/terminator.ts', {
    settings: {
      TERMINATOR_TARGET: new URL(gateway.url).host,
      TERMINATOR_PORT: String(tlsPort),
      TLS_CA: authority.path,
      TLS_CERT: server.certificate,
      TLS_KEY: server.key,
    },
  });
  return {
    gatewayUrl: gateway.url,
    tlsUrl: `https://localhost:${tlsPort}`,
    certificateAuthority: await readFile(authority.path, 'utf8'),
  };
}
