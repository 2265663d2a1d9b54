import { GRPC_UNITS } from './grpc.ts';
import { MYSQL_UNITS } from './mysql.ts';
import { Tap, type TapOptions } from './tap.ts';

/** What one process says to MySQL, and to Temporal. */
export interface ProcessTaps {
  mysql: Tap;
  temporal: Tap;
}

type Ports = Omit<TapOptions, 'unitLength'>;

/** Opens both taps of a process. */
export async function openTaps({ mysql, temporal }: Record<keyof ProcessTaps, Ports>): Promise<ProcessTaps> {
  return {
    mysql: await Tap.open({ ...mysql, unitLength: MYSQL_UNITS }),
    temporal: await Tap.open({ ...temporal, unitLength: GRPC_UNITS }),
  };
}

/** The taps of a process by its name. */
export function findTaps(taps: Map<string, ProcessTaps>, name: string): ProcessTaps {
  const found = taps.get(name);
  if (!found) throw new Error(`${name} has no taps`);
  return found;
}

/** The taps that lead to a link, such as `mysql-left`; none for other links. */
export function tapsBefore(taps: Map<string, ProcessTaps>, link: string): Tap[] {
  const [server, side = ''] = link.split('-');
  const behind = [...taps].filter(([name]) => name.endsWith(`-${side}`));
  if (server !== 'mysql' && server !== 'temporal') return [];
  return behind.map(([, own]) => own[server]);
}
