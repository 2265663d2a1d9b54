import type { WayAway } from '../plan.ts';
import { SIDES } from '../plan.ts';
import type { FaultStack } from '../stack.ts';
import { bringUp, killProcess } from './kill.ts';
import { enableLink } from './link.ts';

/** Takes Temporal away from everybody for a while. */
export async function takeTemporalAway(stack: FaultStack, way: WayAway, hold: () => Promise<void>): Promise<void> {
  const links = SIDES.map((side) => `temporal-${side}`);
  switch (way) {
    case 'killed':
      return killProcess(stack, 'temporal', hold);
    case 'silent':
      stack.processes.signal('temporal', 'SIGSTOP');
      await hold();
      stack.processes.signal('temporal', 'SIGCONT');
      return bringUp(stack, 'temporal');
    case 'cut off':
      for (const link of links) await enableLink(stack, link, false);
      await hold();
      for (const link of links) await enableLink(stack, link, true);
  }
}
