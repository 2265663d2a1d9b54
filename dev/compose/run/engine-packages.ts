import { symlink, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { EnvironmentError } from '../../environment/errors.ts';
import { packageFiles, unpackDebianPackage, withDebianPackages } from '../../environment/servers/debian-packages.ts';
import type { FetchContext } from '../../environment/servers/options.ts';
import { builtOnce } from './built-once.ts';
import { hostSuite } from './host-suite.ts';

/*
 * A Docker engine with Compose, and what makes root file systems of Debian, for this project alone: unpacked from
 * Debian's packages and not installed, so that no service is set up on this machine.
 */

/** Written in Go, they run on any Debian of these years; older suites have no Compose 2. */
const FROM_UNSTABLE = ['docker.io', 'docker-cli', 'docker-compose', 'docker-buildx', 'containerd', 'tini-static'];
/** These need the C library that they were built with, and so come from the suite of this machine. */
const FROM_HOST_SUITE = ['runc', 'iptables', 'slirp4netns', 'mmdebstrap'];
const LIBRARIES =
  /^(libip4tc2|libip6tc2|libxtables12|libnftnl11|libmnl0|libnfnetlink0|libnetfilter-conntrack3|libseccomp2|libslirp0|libglib2\.0-0(?:t64)?)_/;

/** Where the programs are, and the environment in which they find each other. */
export interface EnginePrograms {
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
}

/**
 * Downloads the programs into the cache, unless they are there.
 *
 * @throws {EnvironmentError} when this machine has no way to them: no apt, no Debian mirror, no network.
 */
export async function fetchEngine(context: FetchContext): Promise<EnginePrograms> {
  const suite = await hostSuite();
  const cached = {
    ...{ name: 'docker-engine', provingFile: 'usr/sbin/dockerd' },
    madeFrom: [...FROM_UNSTABLE, suite, ...FROM_HOST_SUITE],
    ...{ label: 'Docker: downloading it with apt-get', details: '370 MB unpacked' },
  };
  const folder = await builtOnce(context, cached, async (draft) => {
    const chosen = [
      ...(await unpack(context, 'sid', FROM_UNSTABLE, draft)),
      ...(await unpack(context, suite, FROM_HOST_SUITE, draft)),
    ];
    // Debian chooses by its alternatives, which only an installation sets.
    for (const name of ['iptables', 'ip6tables']) {
      await symlink('xtables-nft-multi', join(draft, 'usr/sbin', name));
    }
    await writeFile(join(draft, 'packages.txt'), `${chosen.join('\n')}\n`);
  });
  return { folder, environment: environmentFor(folder, context.environment) };
}

async function unpack(
  context: FetchContext,
  suite: string,
  packages: readonly string[],
  into: string,
): Promise<string[]> {
  const options = { ...context, suite, packages, purpose: `engine-${suite}` };
  return withDebianPackages(options, async (archives) => {
    const files = await packageFiles(archives);
    const chosen = files.filter(
      (file) => packages.includes(file.split('_')[0] ?? '') || (suite !== 'sid' && LIBRARIES.test(file)),
    );
    if (chosen.length < packages.length)
      throw new EnvironmentError(`apt-get has not downloaded all of ${packages.join(', ')}.`);
    for (const file of chosen) {
      await unpackDebianPackage(context.supervisor, join(archives, file), { into, purpose: `engine-${suite}` });
    }
    return chosen;
  });
}

function environmentFor(folder: string, environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const libraries = ['usr/lib/x86_64-linux-gnu', 'lib/x86_64-linux-gnu'].map((path) => join(folder, path));
  return {
    ...environment,
    PATH: [join(folder, 'usr/sbin'), join(folder, 'usr/bin'), environment.PATH ?? ''].join(delimiter),
    LD_LIBRARY_PATH: libraries.join(delimiter),
    XTABLES_LIBDIR: join(folder, 'usr/lib/x86_64-linux-gnu/xtables'),
  };
}
