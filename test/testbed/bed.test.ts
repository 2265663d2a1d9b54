import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { currentControl } from '../../dev/testbed/control.ts';
import { Namespace, namespacesOf, prefixOf, removeAbandoned } from '../../dev/testbed/namespace.ts';
import { createTestbed } from '../../dev/testbed/topology.ts';
import { CAN_HAVE_BEDS } from '../support/bed.ts';

describe.skipIf(!CAN_HAVE_BEDS)('a test bed', () => {
  function control() {
    const found = currentControl();
    if (!found) throw new Error('no test bed can be made in this run');
    return found;
  }

  test('may be made twice at a time, and leaves nothing when it is closed', async () => {
    const before = (await namespacesOf(control().prefix)).length;
    const beds = await Promise.all([createTestbed({ control: control() }), createTestbed({ control: control() })]);
    const names = beds.flatMap((bed) => [
      bed.client.name,
      bed.router.name,
      ...bed.hosts.map((host) => host.namespace.name),
    ]);
    expect(new Set(names).size).toBe(10);
    for (const bed of beds) await bed.close();
    const left = await readdir('/run/netns');
    expect(names.filter((name) => left.includes(name))).toEqual([]);
    expect((await namespacesOf(control().prefix)).length).toBe(before);
  });

  test('leaves nothing when it cannot be made', async () => {
    const { namespace, prefix } = control();
    const before = await namespacesOf(prefix);
    const broken = { namespace: new Namespace('there-is-no-such-namespace'), prefix };
    await expect(createTestbed({ control: broken })).rejects.toThrow();
    expect((await namespacesOf(prefix)).map(({ name }) => name)).toEqual(before.map(({ name }) => name));
    expect(before.map(({ name }) => name)).toContain(namespace.name);
  });

  test('whose maker was killed is removed by the next, with what runs in it, and no other is', async () => {
    const maker = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    await once(maker, 'spawn');
    const prefix = await prefixOf(maker.pid ?? 0);
    const namespace = await Namespace.add(`${prefix}control`);
    const program = namespace.spawn('sleep', ['1000']);
    onTestFinished(() => {
      program.kill('SIGKILL');
    });
    await removeAbandoned();
    expect(await namespacesOf(prefix)).toHaveLength(1);

    const gone = Promise.all([once(maker, 'exit'), once(program, 'exit')]);
    maker.kill('SIGKILL');
    await once(maker, 'exit');
    await removeAbandoned();
    await gone;
    expect(await namespacesOf(prefix)).toEqual([]);
    expect(await namespacesOf(control().prefix)).not.toEqual([]);
  });
});
