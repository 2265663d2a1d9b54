import { expect, onTestFinished, test } from 'vitest';
import { useDatabase } from '../support/database.ts';
import { useReserved } from '../support/reserved.ts';

test('an address whose droplet is destroyed between the two reads of a GET is not shown at rest on no droplet', async () => {
  const { account, droplet, ip } = await useReserved({ agents: 1 });
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
