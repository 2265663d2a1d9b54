import { type Context, Hono } from 'hono';
import { presentDroplet } from '../../../api/presenters/droplet.ts';
import { findAccount } from '../../../db/accounts.ts';
import type { Database } from '../../../db/database.ts';
import { findDroplet } from '../../../db/droplets.ts';
import { findToken, hashToken } from '../../../db/tokens.ts';
import { addressFromBytes } from '../../../domain/address.ts';
import type { Latency } from '../latency.ts';
import { INNER_CALLS } from '../parameters.ts';
import type { AccountAnswer, DropletAnswer, PlacementAnswer, SessionAnswer } from './contract.ts';

/** What the services are made of. */
export interface ServicesOptions {
  db: Database;
  latency: Latency;
}

const BEARER = /^Bearer +([\w.~+/=-]{1,512}) *$/i;

/** The session and the inventory service of the legacy upstream. */
export function createServices({ db, latency }: ServicesOptions): Hono {
  const app = new Hono();
  const nothing = (c: Context) => c.json({}, 404);

  app.get('/session', async (c) => {
    await latency(INNER_CALLS.session);
    const [, token] = BEARER.exec(c.req.header('authorization') ?? '') ?? [];
    const found = token ? await findToken(db, hashToken(token)) : null;
    if (!found) return nothing(c);
    const answer: SessionAnswer = { account_id: found.accountId, scopes: found.scopes };
    return c.json(answer);
  });

  app.get('/accounts/:account', async (c) => {
    await latency(INNER_CALLS.account);
    const account = await findAccount(db, Number(c.req.param('account')));
    if (!account) return nothing(c);
    const answer: AccountAnswer = { uuid: account.uuid, reserved_ip_limit: account.reservedIpLimit };
    return c.json(answer);
  });

  app.get('/accounts/:account/droplets/:droplet', async (c) => {
    await latency(INNER_CALLS.droplet);
    const droplet = await findDroplet(db, Number(c.req.param('account')), Number(c.req.param('droplet')));
    if (!droplet) return nothing(c);
    const answer: DropletAnswer = { droplet: presentDroplet(droplet) };
    return c.json(answer);
  });

  app.get('/droplets/:droplet/placement', async (c) => {
    await latency(INNER_CALLS.placement);
    const placement = await findPlacement(db, Number(c.req.param('droplet')));
    return placement ? c.json(placement) : nothing(c);
  });

  return app;
}

async function findPlacement(db: Database, dropletId: number): Promise<PlacementAnswer | null> {
  const row = await db
    .selectFrom('droplets')
    .innerJoin('hosts', 'hosts.id', 'droplets.host_id')
    .select(['hosts.id as host_id', 'hosts.state', 'droplets.anchor'])
    .where('droplets.id', '=', dropletId)
    .executeTakeFirst();
  return row ? { ...row, anchor: addressFromBytes(row.anchor) } : null;
}
