import { beforeAll, describe, expect, test } from 'vitest';
import { until } from '../../dev/kit/until.ts';
import { validators } from '../support/json-schemas.ts';
import { createPrivateEnvironment, type PrivateEnvironment } from '../support/private-environment.ts';
import { useCustomer } from '../support/reserved.ts';
import type { WorldOptions } from '../support/world.ts';
import { actionsOf, EXAMPLES, type Example, heldBy, useController, useNode } from './controllers.ts';

let environment: PrivateEnvironment;
beforeAll(async () => {
  environment = await createPrivateEnvironment({ worker: true });
  return environment.close;
});

/** Every operation that was started for an account, with its input; waits until there are `count`. */
async function startedFor(accountId: number, count: number): Promise<{ kind: string; input: unknown }[]> {
  const query = `ReservedIpAccount = ${accountId}`;
  const listed = await until(`${count} workflows are listed`, async () => {
    const found = [];
    for await (const execution of environment.temporal.workflow.list({ query })) found.push(execution);
    return found.length === count && found;
  });
  return Promise.all(
    listed.map(async ({ workflowId, runId, type }) => {
      const { events } = await environment.temporal.workflow.getHandle(workflowId, runId).fetchHistory();
      const payloads = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads;
      return { kind: type, input: JSON.parse(Buffer.from(payloads?.[0]?.data ?? []).toString('utf8')) };
    }),
  );
}

/** Two load balancers on two hosts, and a controller for them, which is not started. */
async function useBalancers(example: Example, hosts: WorldOptions) {
  const { world, account } = await useCustomer({ ...hosts, apiUrl: environment.apiUrl });
  const [first = 0, second = 0] = await world.droplets(account, 2);
  const active = await useNode(first);
  const standby = await useNode(second);
  const controllerWith = (settings: Record<string, string>) =>
    useController(example, world, account, [active, standby], {
      TEMPORAL_NAMESPACE: environment.namespace,
      ...settings,
    });
  return { world, account, active, standby, controllerWith, controller: await controllerWith({}) };
}

describe.each(EXAMPLES)('the example of a load-balancer controller in $name', (example) => {
  const cases = test.skipIf(!example.available);

  cases('reserves an address for the first node, moves it when that dies, and gives it back on request', async () => {
    const { account, active, standby, controller } = await useBalancers(example, { agents: 2 });
    const program = controller.start();
    const address = await controller.holds(active.dropletId);
    expect(await account.show(address)).toMatchObject({ droplet: { id: active.dropletId } });

    active.die();
    expect(await controller.holds(standby.dropletId)).toBe(address);
    expect(await account.show(address)).toMatchObject({ droplet: { id: standby.dropletId } });

    program.signal('SIGUSR2');
    expect(await program.ended(), program.output).toMatchObject({ code: 0 });
    expect(controller.state()).toMatchObject({ phase: 'released', pending: null });
    expect(await heldBy(account)).toEqual([]);
    expect(await actionsOf(account)).toEqual([
      'reserve_ip completed',
      'assign_ip completed',
      'assign_ip completed',
      'release_ip completed',
    ]);
    const schemas = await validators();
    for (const { kind, input } of await startedFor(account.id, 4)) {
      const validate = schemas.get(`${kind}.input.json`);
      expect(validate?.(input), `${kind}: ${JSON.stringify([input, validate?.errors])}`).toBe(true);
    }
    const again = controller.start();
    expect(await again.ended(), again.output).toMatchObject({ code: 0 });
    expect(await heldBy(account), 'started again, it reserves no second one').toEqual([]);
  });

  cases('takes an address that it is given, and leaves it where it is when it is stopped', async () => {
    const { world, account, active, controllerWith } = await useBalancers(example, { agents: 2 });
    const given = await account.reserve(world.region);
    await account.assign(given, active.dropletId);
    const controller = await controllerWith({ RESERVED_IP: given });

    const program = controller.start();

    expect(await controller.holds(active.dropletId)).toBe(given);
    program.signal('SIGTERM');
    expect(await program.ended(), program.output).toMatchObject({ code: 0 });
    expect(await heldBy(account)).toEqual([given]);
    expect(await account.show(given)).toMatchObject({ droplet: { id: active.dropletId } });
  });

  cases('killed while it moves the address, and started again, carries the same operation on', async () => {
    const hosts = { agents: 0, manualHosts: 2 };
    const { world, account, active, standby, controller } = await useBalancers(example, hosts);
    const [activeHost, standbyHost] = world.manualHosts;
    const first = controller.start();
    const address = await until('an address was reserved', async () => controller.state()?.address);
    await activeHost?.confirm(address, 'attach');
    await controller.holds(active.dropletId);
    active.die();
    await standbyHost?.command(address, 'attach');
    const operationId = controller.state()?.pending?.operationId ?? 'none is pending';

    first.signal('SIGKILL');
    await first.ended();
    const second = controller.start();
    await second.printed(operationId);
    await Promise.all([standbyHost?.confirm(address, 'attach'), activeHost?.confirm(address, 'detach')]);

    expect(await controller.holds(standby.dropletId)).toBe(address);
    expect(await heldBy(account)).toEqual([address]);
    expect(await actionsOf(account)).toEqual(['reserve_ip completed', 'assign_ip completed', 'assign_ip completed']);
  });

  cases('killed whenever it begins a step, reserves one address and assigns it once', async () => {
    const { account, active, controller } = await useBalancers(example, { agents: 2 });
    const isDone = () => controller.state()?.activeDropletId === active.dropletId;
    for (let kill = 0; kill < 6 && !isDone(); kill++) {
      const program = controller.start();
      await until('a step began', async () => program.output.includes('step begins') || isDone());
      program.signal('SIGKILL');
      await program.ended();
    }

    controller.start();
    const address = await controller.holds(active.dropletId);
    expect(await heldBy(account)).toEqual([address]);
    expect(await actionsOf(account)).toEqual(['reserve_ip completed', 'assign_ip completed']);
  });
});
