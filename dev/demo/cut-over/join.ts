import type { ClientRequest } from './clients/record.ts';
import type { Forwarded } from './logs.ts';

/** A request as its client and as a gateway saw it. */
export interface Joined {
  request: ClientRequest;
  forwarded: Forwarded;
}

/**
 * Finds for each request of a client the one that a gateway passed on. Customers make one request at a time, so those of
 * an account come in the same order on both sides. `problems` tells of accounts for which they are not the same: a
 * request that a library repeated by itself, or one that never came.
 */
export function joinRequests(
  requests: readonly ClientRequest[],
  forwarded: readonly Forwarded[],
): { joined: Joined[]; problems: string[] } {
  const asked = byAccount(requests);
  const passed = byAccount(forwarded);
  const joined: Joined[] = [];
  const problems: string[] = [];
  for (const accountId of new Set([...asked.keys(), ...passed.keys()])) {
    const [left, right] = [asked.get(accountId) ?? [], passed.get(accountId) ?? []];
    if (left.length !== right.length) {
      problems.push(`account ${accountId} sent ${left.length} requests, and the gateways had ${right.length} of it`);
    }
    for (const [index, request] of left.entries()) {
      const match = right[index];
      if (!match) break;
      joined.push({ request, forwarded: match });
      if (match.codePath === request.codePath) continue;
      problems.push(
        `request ${index + 1} of account ${accountId} was ${request.codePath} to its client, ${match.codePath} to a gateway`,
      );
      break;
    }
  }
  return { joined, problems };
}

function byAccount<Item extends { accountId: number; beganAt: number }>(items: readonly Item[]): Map<number, Item[]> {
  return Map.groupBy(
    items.toSorted((left, right) => left.beganAt - right.beganAt),
    ({ accountId }) => accountId,
  );
}
