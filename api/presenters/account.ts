import type { AccountRecord } from '../../db/accounts.ts';
import type { AccountBody } from '../schemas/account.ts';

/** An account as v2 clients read it. */
export function presentAccount({ uuid, name, email, reservedIpLimit, dropletLimit }: AccountRecord): AccountBody {
  return {
    droplet_limit: dropletLimit,
    floating_ip_limit: reservedIpLimit,
    reserved_ip_limit: reservedIpLimit,
    email,
    name,
    uuid,
    email_verified: true,
    status: 'active',
    status_message: '',
    team: { uuid, name },
  };
}
