import type { FaultEnvironment } from '../environment.ts';
import type { WayAway } from '../plan.ts';
import { SIDES } from '../plan.ts';
import { bringUp, killProcess } from './kill.ts';
import { enableLink } from './link.ts';

/** Takes Temporal away from everybody for a while. */
export async function takeTemporalAway(
  environment: FaultEnvironment,
  way: WayAway,
  hold: () => Promise<void>,
): Promise<void> {
  const links = SIDES.map((side) => `temporal-${side}`);
  switch (way) {
    case 'killed':
      return killProcess(environment, 'temporal', hold);
    case 'silent':
      environment.processes.signal('temporal', 'SIGSTOP');
      await hold();
      environment.processes.signal('temporal', 'SIGCONT');
      return bringUp(environment, 'temporal');
    case 'cut off':
      for (const link of links) await enableLink(environment, link, false);
      await hold();
      for (const link of links) await enableLink(environment, link, true);
  }
}
