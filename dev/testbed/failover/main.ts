import { setTimeout as sleep } from 'node:timers/promises';
import { commandLine, print } from '../../../platform/text/print.ts';
import { visible } from '../../../platform/text/visible.ts';
import { numberFrom } from '../../kit/script.ts';
import { startBedEnvironment } from '../bed-environment.ts';
import { runAsTestbed } from '../run-as-testbed.ts';
import { FAILURE_CASES, type FailureCase } from './cases.ts';
import { type Measurement, measure } from './measurement.ts';
import { type CaseResult, printReport } from './report.ts';
import { Scene } from './scene.ts';

/*
 * `npm run demo:failover`: two load balancers hold one reserved IP, and a customer's script moves it when the active one
 * is lost. Measured as a client sees it, which sends a request every 10 ms.
 */

/** The client runs that long before the failure, and after the address has moved. */
const BEFORE_MS = 1_000;
const AFTER_MS = 1_000;
/** How long the client goes on after a host has come back that believes it still has the address. */
const AFTER_RETURN_MS = 3_000;

const { rounds } = commandLine('demo:failover')
  .description('Fails over a reserved IP between two load balancers, and measures what a client sees.')
  .option('--rounds <count>', 'how often each case is run', numberFrom(1, { whole: true }), 5)
  .parse()
  .opts<{ rounds: number }>();

await runAsTestbed(import.meta.url, async (control, signal) => {
  const report = (line: string) => print(`  ${visible(line)}`);
  const droplets = { dropletsPerHost: 1, serving: false };
  const environment = await startBedEnvironment({ control, report, folder: 'failover', droplets });
  try {
    const scene = new Scene(environment);
    await scene.setUp();
    const results = FAILURE_CASES.map(
      ({ name, hostIsWell, temporalIsDead = false }): CaseResult => ({ name, hostIsWell, temporalIsDead, rounds: [] }),
    );
    for (let round = 1; round <= rounds; round++) {
      for (const [index, failure] of FAILURE_CASES.entries()) {
        signal.throwIfAborted();
        const measurement = await failOver(scene, failure);
        results[index]?.rounds.push(measurement);
        report(`round ${round}, ${failure.name}: ${describe(measurement)}`);
      }
    }
    printReport(results);
  } finally {
    await environment.close();
  }
});

/** One failover, from two balancers that are well to two that are well again. */
async function failOver(scene: Scene, failure: FailureCase): Promise<Measurement> {
  await scene.assignToActive();
  const watching = scene.startWatching();
  await sleep(BEFORE_MS);
  const failedAt = Date.now();
  await failure.fail(scene);
  const times = await watching.completed();
  await sleep(AFTER_MS);
  if (failure.comeBack) {
    await failure.comeBack(scene);
    await sleep(AFTER_RETURN_MS);
  }
  const requests = await watching.stop();
  await failure.repair(scene);
  return measure(requests, failedAt, times, scene.standby.name);
}

function describe({ detection, accepted, firstGoodAnswer, completed, lost, wrong }: Measurement): string {
  const milliseconds = (value: number) => `${value.toFixed(0)} ms`;
  return [
    `detected after ${milliseconds(detection)}`,
    `accepted ${milliseconds(accepted)}`,
    `first good answer ${milliseconds(firstGoodAnswer)}`,
    `completed ${milliseconds(completed)}`,
    `${lost} lost`,
    `${wrong} wrong`,
  ].join(', ');
}
