import { describe, expect, test } from 'vitest';
import { fromMessage } from '../../billing/event.ts';
import type { Database } from '../../db/database.ts';
import type { Account } from '../../dev/kit/account.ts';
import { computeStatement } from '../../ops/billing-statement/hours.ts';
import { type TopicMessage, useTopicReader } from '../support/billing-topic.ts';
import { useDatabase } from '../support/database.ts';
import { useWorld } from '../support/world.ts';

const CHANGES = { reserve_ip: 'reserved', unassign_ip: 'unassigned', release_ip: 'released' } as const;

describe('the billing topic', () => {
  test.each(['IPv4', 'IPv6'])(
    'has exactly one event for each settled change of an %s address’s life',
    async (ipVersion) => {
      const reader = await useTopicReader();
      const world = await useWorld({ agents: 2, ipv6PrefixLength: 124 });
      const db = useDatabase();
      const account = await world.account();
      const [first = 0, second = 0] = await world.droplets(account, 2);
      const ip = await (ipVersion === 'IPv6' ? account.reserveIpv6(world.region) : account.reserve(world.region));
      await account.assign(ip, first);
      await account.assign(ip, second);
      await account.unassign(ip);
      await account.release(ip);

      const messages = await reader.settled(ip, 5);

      const actions = await addressActions(db, account);
      expect(actions.map(({ type }) => type)).toEqual([
        'reserve_ip',
        'assign_ip',
        'assign_ip',
        'unassign_ip',
        'release_ip',
      ]);
      const expected = actions.map((action) => {
        const change =
          action.type === 'assign_ip' ? (action.previous_droplet_id ? 'reassigned' : 'assigned') : CHANGES[action.type];
        // A release takes effect for its owner when it begins; everything else when it is settled.
        const time = (action.type === 'release_ip' ? action.started_at : action.completed_at)?.toISOString();
        return {
          specversion: '1.0',
          id: `action-${action.id}`,
          source: '/reserved-ip/control-plane',
          type: `reserved-ip.billing.v1.${change}`,
          subject: ip,
          time,
          datacontenttype: 'application/json',
          data: {
            account_id: account.id,
            address: ip,
            region: world.region,
            droplet_id: action.type === 'assign_ip' ? action.droplet_id : null,
            action_id: action.id,
            change,
            effective_at: time,
          },
        };
      });
      expect(distinct(messages).map(({ event }) => event)).toEqual(expected);
      expect(new Set(messages.map(({ partition }) => partition)).size, 'all in one partition, in order').toBe(1);
      for (const { headers } of messages) {
        expect(headers['content-type']).toBe('application/cloudevents+json; charset=utf-8');
      }
    },
  );

  test('has the reservation and the assignment of an address that is reserved for a droplet', async () => {
    const reader = await useTopicReader();
    const world = await useWorld({ agents: 1 });
    const account = await world.account();
    const [droplet = 0] = await world.droplets(account, 1);
    const { ip, actionId } = await account.reserveFor(droplet);
    await account.completed({ id: actionId });

    const messages = await reader.settled(ip, 2);

    expect(distinct(messages).map(({ event }) => event)).toMatchObject([
      { type: 'reserved-ip.billing.v1.reserved', data: { droplet_id: null } },
      { id: `action-${actionId}`, type: 'reserved-ip.billing.v1.assigned', data: { droplet_id: droplet } },
    ]);
  });

  test('has nothing about an operation that was rejected, or errored and undone', async () => {
    const reader = await useTopicReader();
    const world = await useWorld({ agents: 1 });
    const account = await world.account();
    const [droplet = 0] = await world.droplets(account, 1);
    const ip = await account.reserve(world.region);
    world.agents[0]?.driver.failNext(Number.POSITIVE_INFINITY);
    const errored = await account.ended(await account.startAssign(ip, droplet));
    expect(errored.status).toBe('errored');
    expect(await account.requestUnassign(ip)).toMatchObject({ status: 422 });
    world.agents[0]?.driver.failNext(0);
    await account.assign(ip, droplet);

    // All about one address is in order, so nothing that was said before the assignment can come after it.
    const messages = await reader.settled(ip, 2);
    expect(distinct(messages).map(({ event }) => event.type)).toEqual([
      'reserved-ip.billing.v1.reserved',
      'reserved-ip.billing.v1.assigned',
    ]);
    expect(messages.map(({ event }) => event.id)).not.toContain(`action-${errored.id}`);
  });

  test('rebuilds an account’s idle time to the millisecond', async () => {
    const reader = await useTopicReader();
    const world = await useWorld({ agents: 1 });
    const db = useDatabase();
    const account = await world.account();
    const [droplet = 0] = await world.droplets(account, 1);
    const ip = await account.reserve(world.region);
    await account.assign(ip, droplet);
    await account.unassign(ip);
    await account.release(ip);
    const messages = await reader.settled(ip, 4);

    const [reserved, assigned, unassigned, released] = await addressActions(db, account);
    const changes = messages.map(({ key, event, headers }) =>
      fromMessage({ key, value: JSON.stringify(event), headers }),
    );
    const statement = computeStatement(changes, {
      accountId: account.id,
      from: new Date(0),
      to: new Date(Date.now() + 60_000),
      now: new Date(Date.now() + 60_000),
      microsPerHour: 1n,
    });

    expect(statement.lines).toMatchObject([
      {
        address: ip,
        intervals: [
          { from: reserved?.completed_at, to: assigned?.completed_at, open: false },
          { from: unassigned?.completed_at, to: released?.started_at, open: false },
        ],
      },
    ]);
  });
});

/** The first message of each event. */
function distinct(messages: TopicMessage[]): TopicMessage[] {
  return [...new Map(messages.toReversed().map((message) => [message.event.id, message])).values()].toReversed();
}

async function addressActions(db: Database, account: Account) {
  const rows = await db
    .selectFrom('actions')
    .select(['id', 'type', 'droplet_id', 'previous_droplet_id', 'started_at', 'completed_at'])
    .where('account_id', '=', account.id)
    .where('address_id', 'is not', null)
    .orderBy('id')
    .execute();
  return rows.flatMap(({ type, ...row }) => (type === 'create' || type === 'rename' ? [] : [{ ...row, type }]));
}
