import { z } from 'zod';
import { type Address, parseAddress } from '../domain/address.ts';
import type { FailedHostCommand, Generation } from '../domain/host-protocol.ts';
import type { AttachmentPolicy, PermittedAttachment } from './attachment-policy.ts';
import { type CanonicalAddress, canonicalAddressSchema, generationSchema, quoted } from './canonical-address.ts';

/*
 * What the control plane answers, parsed entry by entry: one that is wrong is left out and named, and stops no other.
 */

/** The most addresses that one host announces. A longer desired state is rejected as a whole. */
export const MOST_ATTACHMENTS = 200_000;

const sequenceSchema = z.int().min(1);

/** What an acknowledgment repeats; a command may be wrong about more than that. */
const envelopeSchema = z.object({ sequence: sequenceSchema, generation: z.int().min(0) });
const detachSchema = envelopeSchema.extend({
  change: z.literal('detach'),
  address: canonicalAddressSchema,
  generation: generationSchema,
});
const changeSchema = z.object({ change: z.enum(['attach', 'detach']) });

/** Says nothing about the values, which the policy parses. */
const wireAttachmentSchema = z
  .object({ address: z.unknown(), generation: z.unknown(), droplet_id: z.unknown(), anchor: z.unknown() })
  .transform(({ droplet_id, ...attachment }) => ({ ...attachment, dropletId: droplet_id }));
const failedCommandSchema = envelopeSchema.extend({
  change: z.enum(['attach', 'detach']),
  address: canonicalAddressSchema,
  generation: generationSchema,
});

const commandsSchema = z.object({ events: z.array(z.unknown()) });
const desiredStateSchema = z.object({
  sequence: z.int().min(0),
  attachments: z.array(z.unknown()).max(MOST_ATTACHMENTS),
  failed_events: z.array(z.unknown()).max(MOST_ATTACHMENTS).default([]),
});

/** A command that may be carried out. */
export interface AcceptedCommand {
  sequence: number;
  change: 'attach' | 'detach';
  address: CanonicalAddress;
  generation: Generation;
  /** Null for a detach. */
  attachment: PermittedAttachment | null;
}

/** A command that must not be carried out, and can be acknowledged as failed. */
export interface RejectedCommand {
  sequence: number;
  generation: Generation;
  reason: string;
}

/** A batch of commands, in the order of their sequences. */
export interface CommandBatch {
  commands: (AcceptedCommand | RejectedCommand)[];
  /** Why entries could not even be acknowledged. */
  unreadable: string[];
}

/** A failed command about an address that was parsed. */
export type ReportedFailure = FailedHostCommand & { address: CanonicalAddress };

/** What a host is to announce, as far as it may. */
export interface CheckedState {
  sequence: number;
  attachments: ReadonlyMap<CanonicalAddress, PermittedAttachment>;
  failed: ReportedFailure[];
  /** Addresses that a rejected entry may have meant: whatever the host does for them stays as it is. */
  unclear: ReadonlySet<Address>;
  /** Why entries were left out. */
  rejected: string[];
}

/** Reads at most `limit` commands. Throws `ZodError` when the answer has another form as a whole. */
export function parseCommands(answer: unknown, limit: number, policy: AttachmentPolicy): CommandBatch {
  const entries = commandsSchema.parse(answer).events;
  const batch: CommandBatch = { commands: [], unreadable: [] };
  for (const entry of entries.slice(0, limit)) {
    const command = parseCommand(entry, policy);
    if (typeof command === 'string') batch.unreadable.push(command);
    else batch.commands.push(command);
  }
  batch.commands.sort((one, other) => one.sequence - other.sequence);
  return batch;
}

function parseCommand(entry: unknown, policy: AttachmentPolicy): AcceptedCommand | RejectedCommand | string {
  const envelope = envelopeSchema.safeParse(entry);
  if (!envelope.success) return problemsOf(envelope.error, entry);
  const { sequence, generation } = envelope.data;
  const kind = changeSchema.safeParse(entry);
  if (!kind.success) return { sequence, generation, reason: problemsOf(kind.error, entry) };
  const { change } = kind.data;
  if (change === 'detach') {
    const detach = detachSchema.safeParse(entry);
    if (!detach.success) return { sequence, generation, reason: problemsOf(detach.error, entry) };
    return { ...detach.data, attachment: null };
  }
  const attach = policy.parse(attachmentIn(entry));
  if (!attach.success) return { sequence, generation, reason: problemsOf(attach.error, entry) };
  return { sequence, change, address: attach.data.address, generation, attachment: attach.data };
}

/**
 * Reads a desired state. Of several entries for one address the newest generation counts; when two of that differ,
 * none does. Throws `ZodError` when the answer has another form as a whole.
 */
export function parseDesiredState(answer: unknown, policy: AttachmentPolicy): CheckedState {
  const { sequence, attachments: entries, failed_events } = desiredStateSchema.parse(answer);
  const byAddress = new Map<CanonicalAddress, PermittedAttachment[]>();
  const unclear = new Set<CanonicalAddress>();
  const rejected: string[] = [];
  for (const entry of entries) {
    const parsed = policy.parse(attachmentIn(entry));
    if (parsed.success) {
      const { address } = parsed.data;
      const candidates = byAddress.get(address);
      if (candidates) candidates.push(parsed.data);
      else byAddress.set(address, [parsed.data]);
      continue;
    }
    rejected.push(problemsOf(parsed.error, entry));
    const meant = addressMeant(entry);
    if (meant !== null && policy.problemOfAddress(meant) === null) unclear.add(meant);
  }
  const attachments = new Map<CanonicalAddress, PermittedAttachment>();
  for (const [address, candidates] of byAddress) {
    const newest = newestOf(candidates);
    if (newest) attachments.set(address, newest);
    else rejected.push(`address ${address}: entries of one generation contradict each other`);
    if (newest) unclear.delete(address);
    else unclear.add(address);
  }
  const failed = failed_events.flatMap((entry): ReportedFailure[] => {
    const parsed = failedCommandSchema.safeParse(entry);
    if (!parsed.success) rejected.push(`failed command: ${problemsOf(parsed.error, entry)}`);
    return parsed.success ? [parsed.data] : [];
  });
  return { sequence, attachments, failed, unclear, rejected };
}

/** The attachment of the newest generation; null when there are several that differ. */
function newestOf(candidates: readonly PermittedAttachment[]): PermittedAttachment | null {
  const generation = candidates.reduce((highest, one) => Math.max(highest, one.generation), 0);
  const [first, ...others] = candidates.filter((one) => one.generation === generation);
  const isOne = others.every(({ anchor, dropletId }) => anchor === first?.anchor && dropletId === first.dropletId);
  return (isOne && first) || null;
}

/** The address that an entry would be about if its spelling were right; null when that cannot be told. */
function addressMeant(entry: unknown): CanonicalAddress | null {
  const text = z.object({ address: z.string().max(100) }).safeParse(entry).data?.address;
  const address = parseAddress(text?.trim().replace(/[/%].*$/s, '') ?? '');
  return address === null ? null : canonicalAddressSchema.parse(address);
}

/** The attachment that an entry carries, as it is named here. */
function attachmentIn(entry: unknown): unknown {
  return wireAttachmentSchema.safeParse(entry).data ?? entry;
}

/** One line that names what is wrong, and which address it is about. */
function problemsOf(error: z.ZodError, entry: unknown): string {
  const named = z.object({ address: z.unknown() }).safeParse(entry).data?.address;
  const problems = error.issues.map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': '));
  return `address ${quoted(named)}: ${problems.join('; ')}`.slice(0, 500);
}
