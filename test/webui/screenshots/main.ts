import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { PROJECT_FOLDER } from '../../../dev/environment/paths.ts';
import { until } from '../../../dev/kit/until.ts';
import { RECONCILER_SCHEDULE_ID } from '../../../domain/names.ts';
import { STUCK_QUERY } from '../../../domain/search-attributes.ts';
import { browserObstacle } from '../browser.ts';
import type { RunPage } from '../web-ui.ts';
import { openScene, type Scene } from './scene.ts';

/*
 * `npm run docs:screenshots`: brings about each failure that `docs/operators.md` describes, on real servers, and takes
 * the pictures for it, all or those of the scenes that are named. To be run when what operators see has changed, and then looked at.
 */

const FOLDER = join(PROJECT_FOLDER, 'docs/operators');
const WIDTH = 1280;
/** The pages of open runs never stop loading; what is still to come is there by then. */
const SETTLED_MS = 1_500;

/** Takes a picture of the upper part of a page. */
async function picture(page: Page, name: string, height: number): Promise<void> {
  // Without the pointer over something, and with what comes in late.
  await page.mouse.move(0, 0);
  await page.waitForTimeout(SETTLED_MS);
  const path = join(FOLDER, `${name}.png`);
  await page.screenshot({ path, clip: { x: 0, y: 0, width: WIDTH, height }, animations: 'disabled' });
  console.log(`${name}.png, ${Math.ceil((await stat(path)).size / 1024)} kB`);
}

function workflowOf(ip: string): string {
  return `reserved-ip/${ip}`;
}

/** A host rejects, is repaired, and a reset carries the operation through. */
async function hostRejects({ webUi, account, drivers, reserve, droplet }: Scene): Promise<void> {
  const ip = await reserve();
  const target = await droplet();
  for (const driver of drivers) driver.failNext(Number.POSITIVE_INFINITY);
  const action = await account.startAssign(ip, target);
  await account.ended(action, 60_000);
  const list = await webUi.list("ExecutionStatus = 'Failed'");
  const [listed] = await list.runs();
  if (!listed) throw new Error('nothing is listed');
  const failed = await list.open(listed);
  await picture(failed.page, 'failed-run', 560);
  for (const driver of drivers) driver.failNext(0);
  const dialog = await failed.openResetDialog();
  await dialog.getByTestId('workflow-reset-event-id-select-button').click();
  await picture(failed.page, 'reset-dialog', 600);
  await failed.page.reload();
  const carried = await failed.reset('first', 'the host is repaired');
  await carried.ended();
  await picture(carried.page, 'carried-through', 560);
  await account.unassign(ip);
}

/** A failed run is reset after the address has gone on. */
async function superseded({ webUi, account, drivers, reserve, droplet }: Scene): Promise<void> {
  const ip = await reserve();
  const target = await droplet();
  for (const driver of drivers) driver.failNext(Number.POSITIVE_INFINITY, ip);
  await account.ended(await account.startAssign(ip, target), 60_000);
  for (const driver of drivers) driver.failNext(0, ip);
  const failed = await webUi.open(workflowOf(ip));
  await failed.ended();
  await account.assign(ip, await droplet());
  const rejected = await failed.reset('first', 'too late');
  await rejected.ended();
  await picture(rejected.page, 'superseded', 560);
}

/** A host keeps silent, and a release waits for it. */
async function hostKeepsSilent({ webUi, account, drivers, reserve, droplet }: Scene): Promise<void> {
  const ip = await reserve();
  await account.assign(ip, await droplet());
  for (const driver of drivers) driver.silence('before-applying', [ip]);
  await account.release(ip);
  const list = await webUi.list(STUCK_QUERY);
  await list.runs();
  await list.page.getByTestId('create-view-button').click();
  await list.page.getByTestId('save-view-modal-input').fill('Stuck');
  await picture(list.page, 'save-view', 600);
  await list.page.getByRole('dialog').getByTestId('confirm-modal-button').click();
  await picture(list.page, 'stuck-list', 580);
  const stuck = await webUi.open(workflowOf(ip));
  await stuck.page.getByTestId('user-metadata-tab').click();
  await stuck.page.getByText('Stuck').waitFor();
  await picture(stuck.page, 'current-details', 700);
  await stuck.page.getByTestId('pending-activities-tab').click();
  await stuck.page.getByText('Last Failure').waitFor();
  await picture(stuck.page, 'pending-activities', 580);
  for (const driver of drivers) driver.speakAgain();
}

/** Workers come back with workflows that do not fit what is open. */
async function badDeploy({ webUi, account, drivers, reserve, droplet, ...scene }: Scene): Promise<void> {
  const ip = await reserve();
  const target = await droplet();
  for (const driver of drivers) driver.silence('before-applying', [ip]);
  const action = await account.startAssign(ip, target);
  const run = await webUi.open(workflowOf(ip));
  await run.pendingActivities();
  await scene.stopWorkers();
  const unattended = await webUi.open(workflowOf(ip));
  await unattended.page.getByTestId('workers-tab').click();
  await unattended.page.getByText('Last Accessed').first().waitFor();
  await picture(unattended.page, 'no-workers', 580);
  await scene.startWorker('broken');
  for (const driver of drivers) driver.speakAgain();
  const failure = run.page.getByText('Workflow Task Failed').first();
  await until(
    'a workflow task failed',
    async () => {
      await run.page.reload();
      return failure.waitFor({ timeout: 5_000 }).then(
        () => true,
        () => false,
      );
    },
    90_000,
  );
  await failure.scrollIntoViewIfNeeded();
  await picture(run.page, 'bad-deploy', 700);
  await scene.stopWorkers();
  await scene.startWorker('sound');
  await account.ended(action, 90_000);
}

/** A host is declared gone while an operation waits for it. */
async function hostIsGone({ webUi, account, drivers, admin, reserve, droplet }: Scene): Promise<void> {
  const ip = await reserve();
  for (const driver of drivers) driver.silence('before-applying', [ip]);
  const action = await account.startAssign(ip, await droplet());
  for (const host of ['hv-1', 'hv-2']) await admin.post(`/internal/v1/hosts/${host}/gone`);
  await account.ended(action, 60_000);
  const failed = await webUi.open(workflowOf(ip));
  await failed.ended();
  await picture(failed.page, 'host-gone', 560);
  for (const host of ['hv-1', 'hv-2']) await admin.post(`/internal/v1/hosts/${host}/returned`);
  for (const driver of drivers) driver.speakAgain();
}

/** Somebody terminates an operation, and the reconciler takes it up again. */
async function terminated({ webUi, account, drivers, reserve, droplet }: Scene): Promise<void> {
  const ip = await reserve();
  for (const driver of drivers) driver.silence('before-applying', [ip]);
  const action = await account.startAssign(ip, await droplet());
  const run = await webUi.open(workflowOf(ip));
  await run.terminate('by mistake');
  await run.ended();
  await picture(run.page, 'terminated', 560);
  await webUi.triggerSchedule(RECONCILER_SCHEDULE_ID);
  for (const driver of drivers) driver.speakAgain();
  await account.ended(action, 60_000);
  const audits = await webUi.list("WorkflowType = 'audit' AND ExecutionStatus = 'Completed'");
  const [newest] = await audits.runs();
  if (!newest) throw new Error('no reconciler is listed');
  const audit = await audits.open(newest);
  await picture(audit.page, 'audit', 560);
}

/** Kafka does not take events. */
async function kafkaIsDown({ webUi, reserve, stopServer, startServer }: Scene): Promise<void> {
  await stopServer('kafka');
  await reserve();
  const list = await webUi.list("WorkflowType = 'publishBillingEvent' AND ExecutionStatus = 'Running'");
  const [listed] = await list.runs();
  if (!listed) throw new Error('nothing is listed');
  const waiting = await list.open(listed);
  await untilStuck(waiting);
  await picture(waiting.page, 'billing-waits', 580);
  await startServer('kafka');
  await waiting.ended();
}

/** MySQL is away while an operation waits for its host. */
async function mysqlIsDown({ webUi, account, drivers, reserve, droplet, stopServer, startServer }: Scene) {
  const ip = await reserve();
  for (const driver of drivers) driver.silence('before-applying', [ip]);
  const action = await account.startAssign(ip, await droplet());
  const run = await webUi.open(workflowOf(ip));
  await run.pendingActivities();
  await stopServer('mysql');
  await until(
    'the step has failed for want of MySQL',
    async () => /Waiting for MySQL/.test(await run.pendingActivities()),
    90_000,
  );
  await run.page.getByTestId('pending-activities-tab').click();
  await run.page.getByText('Waiting for MySQL').first().waitFor();
  await picture(run.page, 'mysql-down', 580);
  await startServer('mysql');
  for (const driver of drivers) driver.speakAgain();
  await until('MySQL was there again', () => account.action(action.id).catch(() => null), 60_000);
  await account.ended(action, 90_000);
}

/** Waits until a run says of itself that it is stuck, and shows where. Its details are loaded after the rest. */
async function untilStuck({ page }: RunPage): Promise<void> {
  await until(
    'it was stuck',
    async () => {
      await page.reload();
      await page.getByTestId('user-metadata-tab').click();
      const stuck = page.getByText('Stuck').first();
      return stuck.waitFor({ timeout: 5_000 }).then(
        () => true,
        () => false,
      );
    },
    90_000,
  );
}

const obstacle = await browserObstacle(console.log);
if (obstacle !== null) throw new Error(obstacle);
await mkdir(FOLDER, { recursive: true });
const scenes = [hostRejects, superseded, hostKeepsSilent, badDeploy, terminated, hostIsGone, kafkaIsDown, mysqlIsDown];
const wanted = process.argv.slice(2);
const scene = await openScene();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => void scene.close().finally(() => process.exit(1)));
}
try {
  for (const bringAbout of scenes) {
    if (wanted.length === 0 || wanted.includes(bringAbout.name)) await bringAbout(scene);
  }
} finally {
  await scene.close();
}
