import type { KafkaDisk } from '../kafka-disk.ts';
import type { FaultStack } from '../stack.ts';
import { bringUp } from './kill.ts';

/** Fills Kafka's disk for a while. Kafka may die of it, and is started again when there is space. */
export async function fillKafkaDisk(stack: FaultStack, disk: KafkaDisk, hold: () => Promise<void>): Promise<void> {
  stack.processes.expectDeath('kafka');
  await disk.fill();
  await hold();
  await disk.free();
  await bringUp(stack, 'kafka');
}
