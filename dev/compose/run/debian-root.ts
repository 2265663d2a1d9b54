import { join } from 'node:path';
import { DEBIAN_KEYRING, debianMirror } from '../../environment/servers/debian-packages.ts';
import type { FetchContext } from '../../environment/servers/options.ts';
import { outputOf } from '../../environment/servers/tools.ts';
import { builtOnce } from './built-once.ts';
import type { EnginePrograms } from './engine-packages.ts';

const ARCHIVE = 'root.tar';
/** What no program reads, and an image of Debian does not have either. */
const UNREAD = [
  'usr/share/doc',
  'usr/share/man',
  'usr/share/locale',
  'usr/share/info',
  'var/lib/apt/lists',
  'var/cache/apt',
];

/** A root file system of Debian. */
export interface DebianRoot {
  /** Of its folder in the cache. */
  readonly name: string;
  readonly suite: string;
  /** Beyond the smallest installation that has apt. */
  readonly packages: readonly string[];
}

/** Makes the archive of a root file system, unless it is in the cache; answers its path. */
export async function fetchDebianRoot(
  context: FetchContext,
  engine: EnginePrograms,
  root: DebianRoot,
): Promise<string> {
  const [mirror, validity] = [await debianMirror(), await validityOption()];
  const cached = {
    ...{ name: `compose-root-${root.name}`, provingFile: ARCHIVE },
    madeFrom: [root.suite, ...root.packages],
    ...{ label: `A root file system for ${root.name}`, details: `of Debian ${root.suite}, with mmdebstrap` },
  };
  const folder = await builtOnce(context, cached, (draft) =>
    context.supervisor.run({
      name: `root-${root.name}`,
      role: 'tool',
      command: 'perl',
      arguments: [
        ...[join(engine.folder, 'usr/bin/mmdebstrap'), '--mode=root', '--variant=minbase', '--format=tar'],
        ...validity,
        `--include=${root.packages.join(',')}`,
        `--customize-hook=${UNREAD.map((path) => `rm -rf "$1"/${path}/*`).join('; ')}`,
        ...[root.suite, join(draft, ARCHIVE), `deb [signed-by=${DEBIAN_KEYRING}] ${mirror} ${root.suite} main`],
      ],
      environment: context.environment,
    }),
  );
  return join(folder, ARCHIVE);
}

/** A mirror may be kept at an earlier day, which this machine's own apt then knows, and mmdebstrap does not. */
async function validityOption(): Promise<string[]> {
  const setting = 'Acquire::Check-Valid-Until';
  const [, value] = /^VALUE='([^']*)'/.exec((await outputOf('apt-config', ['shell', 'VALUE', setting])) ?? '') ?? [];
  return value === undefined ? [] : [`--aptopt=${setting} "${value}"`];
}
