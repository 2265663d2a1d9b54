import { expect, onTestFinished, test } from 'vitest';
import { useDatabase } from '../support/database.ts';
import { useWorld } from '../support/world.ts';

test('an address whose droplet is destroyed between the two reads of a GET is not shown at rest on no droplet', async () => {
  const world = await useWorld({ agents: 1 });
  const account = await world.account();
  const [droplet = 0] = await world.droplets(account, 1);
  const ip = await account.reserve(world.region);
  await account.assign(ip, droplet);
  // What the second read finds when the first has still seen the address at rest on the droplet.
  const db = useDatabase();
  const destroy = (at: Date | null) =>
    db.updateTable('droplets').set({ deleted_at: at }).where('id', '=', droplet).execute();
  onTestFinished(async () => {
    await destroy(null);
  });
  await destroy(new Date());

  expect(await account.show(ip)).toMatchObject({ droplet: null, locked: true });
});
