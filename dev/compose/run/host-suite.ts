import { readFile } from 'node:fs/promises';
import { EnvironmentError } from '../../environment/errors.ts';

/**
 * The suite of Debian that this machine runs, such as `bookworm`.
 *
 * @throws {EnvironmentError} on any other system.
 */
export async function hostSuite(): Promise<string> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const values = new Map(
    text.split('\n').map((line): [string, string] => {
      const [name = '', value = ''] = line.split('=');
      return [name, value.replaceAll('"', '')];
    }),
  );
  const suite = values.get('VERSION_CODENAME');
  if (values.get('ID') !== 'debian' || suite === undefined)
    throw new EnvironmentError('Compose is tried on Debian only.');
  return suite;
}
