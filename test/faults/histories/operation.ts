import type { AddressChange, ClientRecord } from '../clients/record.ts';

/** An action as its owner can list it when all is over. */
export interface ListedAction {
  id: number;
  accountId: number;
  type: string;
  status: 'in-progress' | 'completed' | 'errored';
  address: string;
  /** The droplet that is destroyed with it, of an unassign that nobody asked for by itself. */
  destroysDroplet: number | null;
}

/** One line for the checker; `linearizability/model.go` says what the fields mean. */
export interface HistoryOperation {
  kind:
    | ('reserve' | 'release' | 'accept' | 'end' | 'open' | 'read' | 'refuse')
    | ('create' | 'destroy' | 'present' | 'absent');
  address: string;
  call: number;
  return: number;
  client: number;
  told: string;
  account: number;
  maybe?: boolean;
  change?: 'assign' | 'unassign';
  droplet?: number;
  action?: number;
  unanswered?: boolean;
  status?: string;
  found?: boolean;
  locked?: boolean | null;
  reason?: string;
}

/** How long after a connection broke its request may still take effect, in microseconds: the admission window and more. */
export const AFTERMATH = 15_000_000;
/** The number that the model knows an action by whose number no client was told. */
export const UNNUMBERED = -1;

/** What all operations of a record have. */
export function base(record: ClientRecord, address: string) {
  const { call, client, account } = record;
  return { address, call, return: record.return, client, account, told: tell(record) };
}

/** A line that says what was asked and told. */
export function tell({ request, outcome, account }: ClientRecord): string {
  const { kind, ...what } = request;
  return `${kind} ${JSON.stringify({ ...what, account })} → ${JSON.stringify(outcome)}`;
}

/** What an assign or unassign was to do. */
export function changeAsked({ kind, droplet }: AddressChange): { change: 'assign' | 'unassign'; droplet: number } {
  return kind === 'assign' ? { change: 'assign', droplet: droplet ?? 0 } : { change: 'unassign', droplet: 0 };
}
