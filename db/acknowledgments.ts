import type { Compilable } from 'kysely';
import { type Address, addressFromBytes } from '../domain/address.ts';
import type { Acknowledgment, AcknowledgmentOutcome, FailedHostCommand, HostChange } from '../domain/host-protocol.ts';
import { queryLimit } from './bounded.ts';
import type { Database } from './database.ts';
import { joined, listOf, statement } from './statement.ts';
import { joinQueries, rowsOfEach } from './together.ts';

/** A command that a host has answered, as it stands in the database now. */
export interface AnsweredCommand {
  sequence: number;
  generation: number;
  operationId: string;
  /** Null when the command is of the legacy upstream on the same database, which looks for the answer itself. */
  workflowId: string | null;
  change: HostChange;
  address: Address;
  outcome: AcknowledgmentOutcome;
  message: string | null;
  /** False when the host's answer changed nothing, because an earlier one stands. */
  recorded: boolean;
  /** The address has an operation, and has not gone on to another generation: someone may still wait for this answer. */
  current: boolean;
  /** Its operation waits, or may wait, in an activity that must be notified. One that begins such a wait later looks itself. */
  isWaitedFor: boolean;
}

/**
 * Records the outcomes that a host reports for its commands. Answers the commands that it really has, each with the outcome
 * that stands; a sequence that is missing from the answer is not of this host, or has another generation. One round trip:
 * the commands as they were, the writes, and the commands as they are.
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
 * The commands that a host has failed to carry out, where it was given none that is newer for the address. An agent that was
 * killed after a failure has forgotten it; by this list it can acknowledge what it repairs later.
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
