import { readFile } from 'node:fs/promises';
import { StackError } from '../../environment/errors.ts';

/**
 * The suite of Debian that this machine runs, such as `bookworm`.
 *
 * @throws {StackError} on any other system.
 */
export async function hostSuite(): Promise<string> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const value = (name: string) => new RegExp(`^${name}="?([\\w.-]+)"?$`, 'm').exec(text)?.[1];
  const suite = value('VERSION_CODENAME');
  if (value('ID') !== 'debian' || suite === undefined) throw new StackError('Compose is tried on Debian only.');
  return suite;
}
