import { type WorkflowHandle, WorkflowNotFoundError } from '@temporalio/client';
import { beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { until } from '../../dev/kit/until.ts';
import { ACCOUNT, ADDRESS, HOST, OPERATION, REGION, STUCK, STUCK_QUERY } from '../../domain/search-attributes.ts';
import { useLink } from '../support/link.ts';
import { createPrivateEnvironment, type PrivateEnvironment } from '../support/private-environment.ts';
import { useReserved } from '../support/reserved.ts';
import { runningOperation } from '../support/temporal.ts';

/*
 * What operators see of operations in the Temporal Web UI: attributes, details, summaries and failures.
 */

let environment: PrivateEnvironment;
beforeAll(async () => {
  environment = await createPrivateEnvironment({
    worker: true,
    settings: {
      HOST_ACKNOWLEDGMENT_TIMEOUT_MS: '1500',
      HOST_ACKNOWLEDGMENT_ATTEMPTS: '5',
      STUCK_AFTER_MS: '1500',
      BILLING_STUCK_AFTER_MS: '1500',
    },
  });
  return environment.close;
});

const metadataSchema = z.object({ currentDetails: z.string() });

async function detailsOf(handle: WorkflowHandle): Promise<string> {
  // It is started after the request was answered.
  const metadata = await handle.query('__temporal_workflow_metadata').catch((error: unknown) => {
    if (error instanceof WorkflowNotFoundError) return { currentDetails: '' };
    throw error;
  });
  return metadataSchema.parse(metadata).currentDetails;
}

async function listed(query: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { workflowId } of environment.temporal.workflow.list({ query })) ids.push(workflowId);
  return ids;
}

async function useScene() {
  const { world, account, host, droplet, ip } = await useReserved({
    agents: 0,
    manualHosts: 1,
    apiUrl: environment.apiUrl,
  });
  return { world, account, droplet, host, ip, handle: environment.temporal.workflow.getHandle(`reserved-ip/${ip}`) };
}

describe('an operation', () => {
  test('is found by address, account, region, operation and host', async () => {
    const { world, account, droplet, host, ip, handle } = await useScene();
    await account.assignBy(host, ip, droplet);

    const { typedSearchAttributes: attributes, staticSummary } = await handle.describe();
    expect(await staticSummary()).toBe(`assign ${ip} to droplet ${droplet}`);
    expect(attributes.get(ADDRESS)).toBe(ip);
    expect(attributes.get(ACCOUNT)).toBe(account.id);
    expect(attributes.get(REGION)).toBe(world.region);
    expect(attributes.get(HOST)).toEqual([host.name]);
    for (const query of [
      `${ADDRESS.name} = '${ip}'`,
      `${ACCOUNT.name} = ${account.id} AND WorkflowType = 'assign'`,
      `${REGION.name} = '${world.region}' AND WorkflowType = 'assign'`,
      `${OPERATION.name} = '${attributes.get(OPERATION)}'`,
      `${HOST.name} = '${host.name}'`,
    ]) {
      await until(`${query} lists the assign`, async () => (await listed(query)).includes(`reserved-ip/${ip}`));
    }
  });

  test('that goes well is one workflow task, starts no timer and marks nothing', async () => {
    const { account, droplet, host, ip, handle } = await useScene();
    await account.assignBy(host, ip, droplet);
    await handle.result();

    const { events } = await handle.fetchHistory();
    const kinds = (events ?? []).flatMap((event) => Object.keys(event).filter((key) => key.endsWith('Attributes')));
    expect(kinds).not.toContain('timerStartedEventAttributes');
    expect(kinds, 'all is said with the start').not.toContain('upsertWorkflowSearchAttributesEventAttributes');
    expect(kinds.filter((kind) => kind === 'workflowTaskCompletedEventAttributes')).toHaveLength(1);
    expect(kinds.length).toBeLessThanOrEqual(10);
  });

  test('says what it waits for and how often it has tried, marks itself stuck after its threshold, and unmarks itself', async () => {
    const { account, droplet, host, ip, handle } = await useScene();
    const action = await account.startAssign(ip, droplet);
    const shown = await until('the wait is shown', () => detailsOf(handle));
    expect(shown).toMatch(
      new RegExp(`^waiting for ${host.name} to attach ${ip}, attempt 1 of 5, since 20..-..-.. ..:..:.. UTC$`),
    );
    // A look may take so long that the second is over.
    await until('a later attempt is shown', async () => /attempt [2-5] of 5/.test(await detailsOf(handle)));
    const { raw } = await handle.describe();
    expect(raw.pendingActivities).toHaveLength(1);
    await until('it is listed as stuck', async () => (await listed(STUCK_QUERY)).includes(`reserved-ip/${ip}`));
    expect(await detailsOf(handle)).toMatch(new RegExp(`^\\*\\*Stuck\\*\\* waiting for ${host.name}`));

    await host.confirm(ip, 'attach');
    await account.completed(action);
    await handle.result();
    expect((await handle.describe()).typedSearchAttributes.get(STUCK)).toBe(false);
    await until(
      'it is listed as stuck no more',
      async () => !(await listed(STUCK_QUERY)).includes(`reserved-ip/${ip}`),
    );
  });

  test('that is sent signals by hand goes on as before', async () => {
    const { account, droplet, host, ip, handle } = await useScene();
    const action = await account.startAssign(ip, droplet);
    await runningOperation(environment.temporal, ip, 'assign');
    for (const garbage of [undefined, null, 7, 'attempt', {}, { activityId: 'x', attempt: 2 }, { activityId: 3 }]) {
      await handle.signal('attempt', garbage);
    }
    await handle.signal('whatever', { settle: true });
    expect(await detailsOf(handle)).toContain('attempt 1 of 5');
    await host.confirm(ip, 'attach');
    await account.completed(action);
    await handle.result();
  });
});

describe('the first line of a failure says what to do', () => {
  test('when the host rejects', async () => {
    const { account, droplet, host, ip, handle } = await useScene();
    const action = await account.startAssign(ip, droplet);
    for (let after = 0, attempt = 1; attempt <= 5; attempt++) {
      const event = await host.command(ip, 'attach', after);
      after = event.sequence;
      await host.acknowledge(event, 'failed', 'no such anchor');
    }
    await account.ended(action);
    await expect(handle.result()).rejects.toMatchObject({
      cause: {
        message: `Fix host ${host.name}, then reset this workflow to retry. The operation was undone: host ${host.name} could not attach: no such anchor`,
      },
    });
  });

  test('when the host never answers', async () => {
    const { account, droplet, host, ip, handle } = await useScene();
    await account.ended(await account.startAssign(ip, droplet));
    await expect(handle.result()).rejects.toMatchObject({
      cause: {
        message: `Fix host ${host.name}, then reset this workflow to retry. The operation was undone: host ${host.name} did not attach ${ip} in time`,
      },
    });
    expect((await handle.describe()).typedSearchAttributes.get(STUCK), 'it is not trying any more').toBe(false);
  });

  test('when the host was declared gone', async () => {
    const { world, account, droplet, host, ip, handle } = await useScene();
    const action = await account.startAssign(ip, droplet);
    await host.command(ip, 'attach');
    expect((await world.admin.post(`/internal/v1/hosts/${host.name}/gone`)).status).toBeLessThan(300);
    await account.ended(action);
    await expect(handle.result()).rejects.toMatchObject({
      cause: {
        message: `No action needed: the customer must choose another droplet. The operation was undone: host ${host.name} was declared gone`,
      },
    });
  });

  test('when an operator has cancelled it', async () => {
    const { account, droplet, ip, handle } = await useScene();
    const action = await account.startAssign(ip, droplet);
    await runningOperation(environment.temporal, ip, 'assign');
    await handle.cancel();
    await account.ended(action);
    await expect(handle.result()).rejects.toMatchObject({
      cause: {
        message: 'To retry, reset this workflow. The operation was undone: cancelled by an operator',
      },
    });
  });
});

describe('a billing event that Kafka does not take', () => {
  test('is listed as stuck, by its address and account, until Kafka has it', async () => {
    const { account, ip } = await useScene();
    const link = await useLink(inject('environment').kafkaBrokers);
    link.become('silent');
    const other = await createWorkerBehind(link.address);
    onTestFinished(() => other.stop());
    await account.release(ip);
    const id = await until('the event has a workflow of its own', async () =>
      (await listed(`${STUCK_QUERY} AND ${ADDRESS.name} = '${ip}' AND ${ACCOUNT.name} = ${account.id}`)).at(0),
    );
    expect(id).toMatch(/^billing\/action-\d+$/);
    const handle = environment.temporal.workflow.getHandle(id);
    expect(await detailsOf(handle)).toMatch(/^\*\*Stuck\*\* waiting for Kafka to accept billing event action-\d+/);
    const [pending] = (await handle.describe()).raw.pendingActivities ?? [];
    expect(pending?.lastFailure?.message).toMatch(/^Waiting for Kafka; resumes by itself: /);
    link.become('open');
    await handle.result();
    expect((await handle.describe()).typedSearchAttributes.get(STUCK)).toBe(false);
  });

  async function createWorkerBehind(kafkaBrokers: string) {
    await environment.stopWorkers();
    return environment.startWorker({ settings: { KAFKA_BROKERS: kafkaBrokers } });
  }
});
