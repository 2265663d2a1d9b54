import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { PROJECT_FOLDER } from '../../dev/environment/paths.ts';
import type { ManualHost } from '../../dev/kit/manual-host.ts';
import { until } from '../../dev/kit/until.ts';
import { addressWorkflowId } from '../../domain/names.ts';
import { listBuilds } from '../../ops/deploy/deployment.ts';
import { installTemporalRuntime } from '../../workers/runtime.ts';
import { createNamespace } from '../support/private-environment.ts';
import { ready, startApiProcess, startWorkerProcess } from '../support/processes.ts';
import { runProgram } from '../support/program.ts';
import { useCustomer } from '../support/reserved.ts';
import { resetToFirstTask } from '../support/temporal.ts';
import { prepareLanes, Traffic } from '../support/traffic.ts';

const CHANGED_WORKFLOWS = join(PROJECT_FOLDER, 'test/deploys/changed-workflows.ts');

let temporal: Client;
let folder: string;
let changedBundle: string;
beforeAll(async () => {
  installTemporalRuntime(pino({ level: 'silent' }));
  folder = await mkdtemp(join(tmpdir(), 'reserved-ip-deploy-'));
  changedBundle = join(folder, 'changed.js');
  const logger = new DefaultLogger('ERROR');
  const [{ code }] = await Promise.all([
    bundleWorkflowCode({ workflowsPath: CHANGED_WORKFLOWS, logger }),
    createNamespace().then((client) => {
      temporal = client;
    }),
  ]);
  await writeFile(changedBundle, code);
});
afterAll(async () => {
  await temporal?.connection.close();
  await rm(folder, { recursive: true, force: true });
});

/** The command for operators, on the namespace of the test. */
function deploy(...words: string[]) {
  const environment = {
    TEMPORAL_ADDRESS: inject('environment').temporalAddress,
    TEMPORAL_NAMESPACE: temporal.options.namespace,
  };
  return runProgram('ops/deploy/main.ts', words, { environment });
}

/** The build that a run is on, and whether it stays there. */
async function versionOf(workflowId: string, runId?: string) {
  const { raw } = await temporal.workflow.getHandle(workflowId, runId).describe();
  const versioning = raw.workflowExecutionInfo?.versioningInfo;
  return { build: versioning?.deploymentVersion?.buildId ?? 'none', behavior: versioning?.behavior };
}

/** As Temporal counts them. */
const PINNED = 1;
const AUTO_UPGRADE = 2;

describe('a second build with changed workflows, deployed under load', () => {
  test('takes over from the first, and nothing is lost and nothing fails', async () => {
    const { namespace } = temporal.options;
    // Of whoever admits an operation.
    const timeouts = { HOST_ACKNOWLEDGMENT_TIMEOUT_MS: '20000', HOST_ACKNOWLEDGMENT_ATTEMPTS: '2' };
    const first = { TEMPORAL_NAMESPACE: namespace, WORKER_BUILD_ID: 'build-1', ...timeouts };
    const second = { ...first, WORKER_BUILD_ID: 'build-2', WORKFLOW_BUNDLE: changedBundle };
    const [api, oldApi, oldWorker] = await Promise.all([
      startApiProcess({ TEMPORAL_NAMESPACE: namespace, ...timeouts }),
      startApiProcess({ ...first, EMBEDDED_WORKER: 'true' }),
      startWorkerProcess(first),
    ]);
    await Promise.all([ready(api), ready(oldApi)]);
    await until('Temporal has seen the first build', async () => (await listBuilds(temporal)).length === 1);
    expect(await deploy('current', 'build-1')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/build-1 +current/),
      stderr: '',
    });

    const { world, account } = await useCustomer({ agents: 2, manualHosts: 1, apiUrl: api.url });
    const dropletIds = await world.droplets(account, 9);
    const silent = world.manualHosts[0] as ManualHost;
    const onSilent = dropletIds.filter((_, index) => index % 3 === 2);
    const onAgents = dropletIds.filter((_, index) => index % 3 !== 2);
    const lanes = await prepareLanes(account, world.region, onAgents);
    const half = lanes.length / 2;
    const loads = [
      new Traffic({ account, urls: [api.url], lanes: lanes.slice(0, half), pauseMs: 50 }),
      // An API of the old build with a worker inside: what it starts belongs to the current build all the same.
      new Traffic({ account, urls: [oldApi.url, api.url], lanes: lanes.slice(half), pauseMs: 50 }),
    ];

    // One of each kind that waits for its host when the second build comes, and one that has failed by then.
    const [assigned = 0, released = 0, dead = 0] = onSilent;
    const [waiting, leaving] = [await account.reserve(world.region), await account.reserve(world.region)];
    await account.assignBy(silent, leaving, released);
    await account.release(leaving);
    const pinned = await account.startAssign(waiting, assigned);
    const failing = await account.reserve(world.region);
    const failed = await account.startAssign(failing, dead);
    for (let attempt = 0, after = 0; attempt < 2; attempt++) {
      const event = await silent.command(failing, 'attach', after);
      await silent.acknowledge(event, 'failed');
      after = event.sequence;
    }
    expect(await account.ended(failed)).toMatchObject({ status: 'errored' });
    await until('both wait on the first build', async () => {
      const seen = await Promise.all([waiting, leaving].map((ip) => versionOf(addressWorkflowId(ip))));
      return seen.every(({ build }) => build === 'build-1');
    });

    const newWorker = await startWorkerProcess(second);
    await until('Temporal has seen the second build', async () => (await listBuilds(temporal)).length === 2);
    expect(await deploy('current', 'build-2')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/build-2 +current/),
      stderr: '',
    });
    const switched = performance.now();
    const switchedAt = new Date();
    expect(await deploy('status')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/build-1 +draining/),
      stderr: '',
    });
    await until(
      'customers have gone on for a while',
      async () => {
        const since = loads.map(({ operations }) => operations.filter(({ acceptedAt }) => acceptedAt > switched));
        return since.every((operations) => operations.length > 12);
      },
      60_000,
    );
    const stillThere = await listBuilds(temporal);
    expect(
      stillThere.find(({ id }) => id === 'build-1'),
      'the assign that waits keeps its build in use',
    ).toMatchObject({ state: 'draining', openOperations: 1 });

    await silent.confirm(waiting, 'attach');
    await account.completed(pinned);
    await silent.confirm(leaving, 'detach');
    expect(await deploy('drained', 'build-1')).toMatchObject({ code: 0, stdout: 'build-1 is drained\n', stderr: '' });
    oldWorker.signal('SIGTERM');
    oldApi.program.signal('SIGTERM');
    expect((await Promise.all([oldWorker.ended(), oldApi.program.ended()])).map(({ code }) => code)).toEqual([0, 0]);
    const alone = performance.now();
    await until(
      'customers have gone on without the first build',
      async () => loads.every(({ operations }) => operations.filter(({ acceptedAt }) => acceptedAt > alone).length > 6),
      60_000,
    );
    await Promise.all(loads.map((load) => load.stop()));

    const operations = loads.flatMap((load) => load.operations);
    expect(loads.flatMap((load) => load.failures)).toEqual([]);
    expect(operations.filter(({ status }) => status !== 'completed')).toEqual([]);

    expect(await versionOf(addressWorkflowId(waiting)), 'a pinned operation ends where it began').toEqual({
      build: 'build-1',
      behavior: PINNED,
    });
    expect(await versionOf(addressWorkflowId(leaving)), 'a release that waits goes on to the next build').toEqual({
      build: 'build-2',
      behavior: AUTO_UPGRADE,
    });
    const runs: WorkflowExecutionInfo[] = [];
    for await (const run of temporal.workflow.list({ query: "WorkflowType IN ('assign', 'unassign')" })) runs.push(run);
    const builds = new Map<string, number>();
    for (const { workflowId, runId, startTime } of runs) {
      const { build } = await versionOf(workflowId, runId);
      if (startTime > switchedAt) expect(build, workflowId).toBe('build-2');
      builds.set(build, (builds.get(build) ?? 0) + 1);
      const { events } = await temporal.workflow.getHandle(workflowId, runId).fetchHistory();
      expect(
        events?.filter((event) => event.workflowTaskFailedEventAttributes),
        workflowId,
      ).toEqual([]);
    }
    console.log(`deploy under load: ${operations.length} operations, ${JSON.stringify(Object.fromEntries(builds))}`);
    expect([...builds.keys()].sort()).toEqual(['build-1', 'build-2']);

    await resetToFirstTask(temporal, addressWorkflowId(failing));
    await silent.confirm(failing, 'attach');
    await until('what failed on the first build is carried through by the second', async () => {
      const { build } = await versionOf(addressWorkflowId(failing));
      return build === 'build-2' && (await account.action(failed.id)).status === 'completed';
    });

    const history = await temporal.workflow.getHandle(addressWorkflowId(waiting)).fetchHistory();
    const replay = Worker.runReplayHistory({ workflowBundle: { codePath: changedBundle } }, history);
    await expect(replay, 'the new code is one that the old histories do not replay on').rejects.toThrow(
      'Nondeterminism',
    );
    newWorker.signal('SIGTERM');
    expect((await newWorker.ended()).code).toBe(0);
  }, 240_000);
});
