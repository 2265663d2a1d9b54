import type { FaultEnvironment } from '../environment.ts';
import type { KafkaDisk } from '../kafka-disk.ts';
import { bringUp } from './kill.ts';

/** Fills Kafka's disk for a while. Kafka may die of it, and is started again when there is space. */
export async function fillKafkaDisk(
  environment: FaultEnvironment,
  disk: KafkaDisk,
  hold: () => Promise<void>,
): Promise<void> {
  environment.processes.expectDeath('kafka');
  await disk.fill();
  await hold();
  await disk.free();
  await bringUp(environment, 'kafka');
}
