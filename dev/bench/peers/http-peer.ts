import { BenchClient } from '../http.ts';
import { decisionSchema } from './common/operation.ts';
import { ACCOUNT_ID, type makePeerDatabase, readOutcome } from './common/tables.ts';
import { type Call, type Peer, toLanes, UnavailableError } from './peer.ts';
import type { SharedServers } from './servers.ts';
import type { ServiceProcess } from './service-process.ts';

/** What tells one peer from another. */
export interface PeerParts {
  name: string;
  topic: string;
  service: ServiceProcess;
  database: Awaited<ReturnType<typeof makePeerDatabase>>;
  laneCount: number;
  /** Its own servers by name. */
  servers: ReadonlyMap<string, number>;
  /** Where callers send operations; default the service itself. */
  url?: string;
  /** The path that answers with the decision, and the one that answers when the start is durable. */
  paths?: { accept: string; start: string };
  /** The header by which an operation may be sent again, where its id alone does not do it. */
  keyHeader?: string;
}

/** A peer whose callers speak HTTP to it; the operations are in tables of {@link makePeerDatabase}. */
export function httpPeer(shared: SharedServers, parts: PeerParts): Peer {
  const { name, topic, service, database, servers, keyHeader } = parts;
  const { url = service.url, paths = { accept: '/operations', start: '/operations/start' } } = parts;
  const client = new BenchClient(url, '');
  async function send(path: string, call: Call): Promise<string> {
    const { repeatable, ...request } = call;
    const headers: Record<string, string> = repeatable && keyHeader ? { [keyHeader]: call.operationId } : {};
    const answer = await client.exchange('POST', path, request, headers);
    if (answer.status >= 500) throw new UnavailableError(`${name}: ${answer.status} ${answer.text}`);
    if (answer.status >= 300) throw new Error(`${name}: POST ${path}: ${answer.status} ${answer.text}`);
    return answer.text;
  }
  return {
    name,
    topic,
    lanes: toLanes(database.lanes, parts.laneCount),
    accountId: ACCOUNT_ID,
    processes: () =>
      new Map([
        ...[...servers].map(([server, pid]): [string, number[]] => [server, [pid]]),
        ['service', [service.pid]],
        ['mysql', [shared.environment.pidOf('mysql')]],
        ['kafka', [shared.environment.pidOf('kafka')]],
        ['hosts', [shared.hosts.pid]],
      ]),
    async accept(call) {
      const decision = decisionSchema.parse(JSON.parse(await send(paths.accept, call)));
      if (decision.kind === 'rejected') throw new Error(`${name}: rejected, ${decision.reason}`);
      return call.operationId;
    },
    async start(call) {
      await send(paths.start, call);
      return call.operationId;
    },
    kill: () => service.kill(),
    restart: () => service.restart(),
    outcome: (operations) =>
      readOutcome(
        database.url,
        operations.map(({ operationId }) => operationId),
      ),
    async close() {
      client.close();
    },
  };
}
