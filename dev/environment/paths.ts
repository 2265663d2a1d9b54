import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The top folder of the project. */
export const PROJECT_FOLDER = fileURLToPath(new URL('../..', import.meta.url));

/** Where `npm start` keeps everything that belongs to one checkout: data, logs, the record of processes, `env`. */
export const DEV_FOLDER = join(PROJECT_FOLDER, '.dev');
