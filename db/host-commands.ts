import { type Compilable, sql } from 'kysely';
import { actionTypesThat } from '../domain/action-types.ts';
import { type Address, addressFromBytes, ipVersionOf } from '../domain/address.ts';
import { anchorFor } from '../domain/anchor.ts';
import type {
  Acknowledgment,
  AcknowledgmentOutcome,
  DesiredAttachment,
  DesiredState,
  FailedHostCommand,
  HostChange,
  IssuedHostCommand,
} from '../domain/host-protocol.ts';
import { queryLimit } from './bounded.ts';
import type { Database } from './database.ts';
import { joined, listOf, statement } from './statement.ts';
import { joinQueries, rowsOfEach } from './together.ts';

/** A host whose sequence was raised a short while ago. */
export interface RaisedHost {
  id: number;
  lastSequence: number;
}

/**
 * Hosts that were given a command within the last `seconds` on the database's clock; none is missed as long as no
 * transaction stays open that long after it raised the sequence. One range of one covering index, so that the cost
 * follows the hosts that have work, not the hosts there are.
 */
export async function listRaisedHosts(db: Database, seconds: number): Promise<RaisedHost[]> {
  // Written out, because it runs 50 times a second and the query builder would be half of its cost.
  const { rows } = await sql<RaisedHost>`
    SELECT id, last_sequence AS lastSequence FROM hosts
    WHERE signalled_at >= NOW(3) - INTERVAL ${seconds} SECOND`.execute(db, queryLimit());
  return rows;
}

/** Which commands of a host are wanted: the first `limit` unacknowledged ones after a sequence. */
export interface OpenCommandsRequest {
  hostId: number;
  after: number;
  limit: number;
}

interface CommandRow {
  request: number;
  sequence: number;
  change: HostChange;
  address: Buffer;
  generation: number;
  droplet_id: number | null;
  anchor: Buffer | null;
  issued_at: Date;
}

/** Answers all requests by one query, in their order; the commands of each are in the order of their sequence. */
export async function listOpenCommands(db: Database, requests: OpenCommandsRequest[]): Promise<IssuedHostCommand[][]> {
  const answers: IssuedHostCommand[][] = requests.map(() => []);
  if (requests.length === 0) return answers;
  const selects = requests.map(
    ({ hostId, after, limit }, index) => sql`
      (SELECT ${sql.lit(index)} AS request, sequence, \`change\`, address, generation, droplet_id, anchor, issued_at
       FROM host_events
       WHERE host_id = ${hostId} AND acknowledged_at IS NULL AND sequence > ${after}
       ORDER BY sequence LIMIT ${sql.lit(limit)})`,
  );
  const { rows } = await sql<CommandRow>`${sql.join(selects, sql` UNION ALL `)}`.execute(db, queryLimit());
  for (const row of rows) answers[row.request]?.push(toIssuedHostCommand(row));
  for (const commands of answers) commands.sort((left, right) => left.sequence - right.sequence);
  return answers;
}

function toIssuedHostCommand(row: CommandRow): IssuedHostCommand {
  return {
    sequence: row.sequence,
    change: row.change,
    address: addressFromBytes(row.address),
    generation: row.generation,
    dropletId: row.droplet_id,
    anchor: row.anchor === null ? null : addressFromBytes(row.anchor),
    issuedAt: row.issued_at.toISOString(),
  };
}

/** A command that a host has answered, as it stands in the database now. */
export interface AnsweredCommand {
  sequence: number;
  generation: number;
  operationId: string;
  /** Null when the command is of another stack on the same database, which looks for the answer itself. */
  workflowId: string | null;
  change: HostChange;
  address: Address;
  outcome: AcknowledgmentOutcome;
  message: string | null;
  /** False when the host's answer changed nothing, because an earlier one stands. */
  recorded: boolean;
  /** The address has an operation, and has not gone on to another generation: someone may still wait for this answer. */
  current: boolean;
  /** Its operation waits in an activity that must be told, or may do so; one that begins such a wait later looks itself. */
  isWaitedFor: boolean;
}

/**
 * Records what a host says came of its commands and answers those it really has, with the outcome that stands; a sequence
 * that is missing from the answer is none of this host's, or has another generation. One round trip: the commands as they
 * were, the writes, and the commands as they are.
 *
 * The first answer stands, with one exception: a success that comes after a failure replaces it, because what a host
 * says it has applied is what answers packets, while a failure after a success is an echo of an attempt that was
 * overtaken. Guarded in the UPDATE itself, so it holds between processes too.
 */
export async function recordAcknowledgments(
  db: Database,
  hostId: number,
  acknowledgments: readonly Acknowledgment[],
): Promise<AnsweredCommand[]> {
  if (acknowledgments.length === 0) return [];
  const commands = commandsQuery(hostId, acknowledgments);
  const query = joinQueries([commands, ...outcomeQueries(hostId, strongestOf(acknowledgments)), commands]);
  const answers = rowsOfEach<Compilable<CommandState>[]>((await db.executeQuery(query, queryLimit())).rows);
  const before = new Map(answers.at(0)?.map((command) => [command.sequence, command.outcome]));
  const acknowledged = new Set(acknowledgments.map(keyOf));
  return (answers.at(-1) ?? []).flatMap(({ fence, addressGeneration, visibleWait, ...command }) => {
    const { sequence, generation, outcome } = command;
    if (outcome === null || !acknowledged.has(keyOf(command))) return [];
    const address = addressFromBytes(command.address);
    const recorded = before.get(sequence) !== outcome;
    const current = fence !== null && generation === addressGeneration;
    return [{ ...command, address, outcome, recorded, current, isWaitedFor: visibleWait !== 0 }];
  });
}

function keyOf({ sequence, generation }: Pick<Acknowledgment, 'sequence' | 'generation'>): string {
  return `${sequence}/${generation}`;
}

/** Of several answers to one command, the one that would stand. */
function strongestOf(acknowledgments: readonly Acknowledgment[]): Acknowledgment[] {
  const strongest = new Map<string, Acknowledgment>();
  for (const acknowledgment of acknowledgments) {
    const key = keyOf(acknowledgment);
    const earlier = strongest.get(key);
    const replaces = earlier?.outcome === 'failed' && acknowledgment.outcome === 'applied';
    if (!earlier || replaces) strongest.set(key, acknowledgment);
  }
  return [...strongest.values()];
}

interface CommandState extends Omit<AnsweredCommand, 'address' | 'outcome' | 'recorded' | 'current' | 'isWaitedFor'> {
  address: Buffer;
  outcome: AcknowledgmentOutcome | null;
  addressGeneration: number;
  fence: number | null;
  /** Null in what was begun before it was noted, which may wait. */
  visibleWait: number | null;
}

function commandsQuery(hostId: number, about: readonly Acknowledgment[]): Compilable<CommandState> {
  return statement<CommandState>`
    SELECT host_events.sequence, host_events.generation, host_events.operation_id AS operationId,
           operations.workflow_id AS workflowId, host_events.\`change\`, host_events.address,
           host_events.outcome, host_events.message,
           addresses.generation AS addressGeneration, addresses.pending_action_id AS fence,
           IF(operations.id IS NULL, 0, operations.visible_wait) AS visibleWait
    FROM host_events
    JOIN addresses ON addresses.id = host_events.address_id
    LEFT JOIN operations ON operations.id = host_events.operation_id
    WHERE host_events.host_id = ${hostId} AND host_events.sequence IN (${listOf(sequencesOf(about))})`;
}

function sequencesOf(acknowledgments: readonly Acknowledgment[]): number[] {
  return [...new Set(acknowledgments.map(({ sequence }) => sequence))];
}

/** One write for each outcome, of the commands that are still open to it. */
function outcomeQueries(hostId: number, changes: readonly Acknowledgment[]): Compilable[] {
  return (['applied', 'superseded', 'failed'] as const).flatMap((outcome) => {
    const group = changes.filter((change) => change.outcome === outcome);
    if (group.length === 0) return [];
    const messages = group.map(({ sequence, message }) => statement` WHEN ${sequence} THEN ${message}`);
    const message = outcome === 'failed' ? statement`CASE sequence${joined(messages)} END` : statement`NULL`;
    const generations = group.map(({ sequence, generation }) => statement`(${sequence}, ${generation})`);
    const isOpen =
      outcome === 'applied' ? statement`(outcome IS NULL OR outcome = 'failed')` : statement`outcome IS NULL`;
    return [
      statement`
        UPDATE host_events SET outcome = ${outcome}, acknowledged_at = NOW(3), message = ${message}
        WHERE host_id = ${hostId} AND sequence IN (${listOf(sequencesOf(group))})
          AND (sequence, generation) IN (${listOf(generations)}) AND ${isOpen}`,
    ];
  });
}

/**
 * What a host has failed to do and was told nothing newer about since. An agent that was killed before it mended that has
 * forgotten that it failed; what it mends afterwards it can acknowledge by this.
 */
export async function listFailedCommands(db: Database, hostId: number): Promise<FailedHostCommand[]> {
  const rows = await db
    .selectFrom('host_events as failed')
    .select(['sequence', 'change', 'address', 'generation'])
    .where('host_id', '=', hostId)
    .where('outcome', '=', 'failed')
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('host_events as newer')
            .select('newer.sequence')
            .whereRef('newer.address_id', '=', 'failed.address_id')
            .whereRef('newer.host_id', '=', 'failed.host_id')
            .whereRef('newer.sequence', '>', 'failed.sequence'),
        ),
      ),
    )
    .orderBy('sequence')
    .execute(queryLimit());
  return rows.map(({ address, ...command }) => ({ ...command, address: addressFromBytes(address) }));
}

const TAKING_OFF_HOSTS = actionTypesThat(({ takesOffHosts }) => takesOffHosts);

/**
 * Everything a host is to announce: addresses that are on one of its droplets or on their way there. One on its way
 * elsewhere, or being unassigned or released, is nowhere.
 *
 * Both reads are in one REPEATABLE READ snapshot: whoever writes an address raises the host's sequence in the same
 * transaction, so the snapshot holds either both or neither, and `sequence` is exactly the last command it reflects.
 */
export async function readDesiredState(db: Database, host: { id: number; name: string }): Promise<DesiredState> {
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (tx) => {
      const { sequence } = await tx
        .selectFrom('hosts')
        .select('last_sequence as sequence')
        .where('id', '=', host.id)
        .executeTakeFirstOrThrow();
      const rows = await tx
        .selectFrom('droplets')
        .innerJoin('addresses', 'addresses.target_droplet_id', 'droplets.id')
        .select(attachmentColumns)
        .where('droplets.host_id', '=', host.id)
        .where('addresses.state', '=', 'reserved')
        .unionAll(
          tx
            .selectFrom('droplets')
            .innerJoin('addresses', 'addresses.droplet_id', 'droplets.id')
            .leftJoin('actions', 'actions.id', 'addresses.pending_action_id')
            .select(attachmentColumns)
            .where('droplets.host_id', '=', host.id)
            .where('addresses.state', '=', 'reserved')
            .where('addresses.target_droplet_id', 'is', null)
            .where((where) =>
              where.or([where('actions.id', 'is', null), where('actions.type', 'not in', TAKING_OFF_HOSTS)]),
            ),
        )
        .execute();
      return { host: host.name, sequence, attachments: rows.map(toAttachment) };
    });
}

const attachmentColumns = [
  'addresses.address',
  'addresses.generation',
  'droplets.id as dropletId',
  'droplets.anchor',
] as const;

function toAttachment(row: {
  address: Buffer;
  generation: number;
  dropletId: number;
  anchor: Buffer;
}): DesiredAttachment {
  const address = addressFromBytes(row.address);
  return { ...row, address, anchor: anchorFor(ipVersionOf(address), addressFromBytes(row.anchor)) };
}
