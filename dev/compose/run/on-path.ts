import { access, constants } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { EnvironmentError } from '../../environment/errors.ts';

/**
 * The file of a command.
 *
 * @throws {EnvironmentError} when it is not on PATH.
 */
export async function onPath(command: string): Promise<string> {
  if (isAbsolute(command)) return command;
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const file = join(folder, command);
    const found = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return file;
  }
  throw new EnvironmentError(`${command} is not on PATH.`);
}
