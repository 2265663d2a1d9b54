import type { ColumnType, Generated } from 'kysely';
import type { ActionType } from '../domain/action-types.ts';
import type { AcknowledgmentOutcome, HostChange } from '../domain/host-protocol.ts';
import type { OperationKind, ResourceType } from '../domain/operation.ts';
import type { Requester } from '../domain/requester.ts';

/*
 * The tables, as Kysely sees them. Addresses are VARBINARY(16), times DATETIME(3) in UTC on the database's clock.
 * JSON is kept as text, since MariaDB and MySQL differ in what they answer for a JSON column.
 */

/** A time the database sets or the caller gives; read back as a Date. */
type Timestamp = ColumnType<Date, Date | undefined, Date>;

/** Life of an address in the pool. A released one is `free` again, but rests until `available_at`. */
export type AddressState = 'free' | 'reserved' | 'releasing';
export type ActionStatus = 'in-progress' | 'completed' | 'errored';
export type { ActionType };
export type HostState = 'active' | 'gone';

export interface RegionsTable {
  id: Generated<number>;
  slug: string;
  name: string;
  created_at: Timestamp;
}

export interface PoolsTable {
  id: Generated<number>;
  region_id: number;
  cidr: string;
  first_address: Buffer;
  last_address: Buffer;
  created_at: Timestamp;
}

export interface HostsTable {
  id: Generated<number>;
  name: string;
  region_id: number;
  state: HostState;
  anchor_cidr: string;
  next_anchor: number;
  last_sequence: number;
  /** Set by the database whenever the row changes, hence with every new event. */
  signalled_at: Timestamp;
  created_at: Timestamp;
}

export interface HostTokensTable {
  id: Generated<number>;
  host_id: number;
  hash: Buffer;
  created_at: Timestamp;
  /** When it was used last, to the minute, and from where. */
  last_used_at: Generated<Date | null>;
  last_used_from: Generated<string | null>;
  revoked_at: Date | null;
}

export interface OperatorTokensTable {
  id: Generated<number>;
  name: string;
  hash: Buffer;
  created_at: Timestamp;
  last_used_at: Date | null;
  last_used_from: string | null;
  revoked_at: Date | null;
}

export interface AccountsTable {
  id: Generated<number>;
  uuid: string;
  name: string;
  email: string;
  reserved_ip_limit: number;
  droplet_limit: number;
  /** Null where the setting of the installation stands. */
  pool_share_held_percent: number | null;
  pool_share_per_hour_percent: number | null;
  created_at: Timestamp;
}

export interface TokensTable {
  id: Generated<number>;
  account_id: number;
  name: string;
  hash: Buffer;
  /** Space-separated scopes, `*` for all. */
  scopes: string;
  requests_per_minute: number;
  requests_per_hour: number;
  created_at: Timestamp;
  last_used_at: Generated<Date | null>;
  last_used_from: Generated<string | null>;
  revoked_at: Date | null;
}

export interface DropletsTable {
  id: Generated<number>;
  account_id: number;
  region_id: number;
  host_id: number;
  name: string;
  size_slug: string;
  image_slug: string;
  memory: number;
  vcpus: number;
  disk: number;
  anchor: Buffer;
  /** JSON array of strings. */
  tags: string;
  created_at: Timestamp;
  deleted_at: Date | null;
}

export interface AddressesTable {
  id: Generated<number>;
  address: Buffer;
  family: number;
  pool_id: number;
  region_id: number;
  state: AddressState;
  account_id: number | null;
  project_id: string | null;
  droplet_id: number | null;
  /** The droplet an open assign is taking the address to. */
  target_droplet_id: number | null;
  generation: number;
  /** The fence: the action that alone may write this row. */
  pending_action_id: number | null;
  /** The newest action that ever held the fence; tells a resurrected run that it is superseded. */
  last_action_id: number | null;
  reserved_at: Date | null;
  /** Time of the newest settled change; effective times never run backwards on one address. */
  changed_at: Date;
  available_at: Date;
  /** The account whose release began the newest cooldown; null when there was none. */
  released_by: number | null;
}

export interface ActionsTable {
  id: Generated<number>;
  operation_id: string | null;
  account_id: number;
  address_id: number | null;
  address: Buffer | null;
  droplet_id: number | null;
  /** Where the address was before, to restore it. */
  previous_droplet_id: number | null;
  region_id: number;
  type: ActionType;
  resource_type: ResourceType | 'droplet';
  status: ActionStatus;
  /** Why it errored, for operators. */
  reason: string | null;
  started_at: Date;
  completed_at: Date | null;
}

export interface OperationsTable {
  id: string;
  kind: OperationKind;
  account_id: number;
  workflow_id: string;
  /** JSON of the operation, so that it can be started again from its row. */
  request: string;
  /** JSON of the verdict. */
  verdict: string;
  /** What the verdict is. */
  decision: ColumnType<'admitted' | 'refused', never, never>;
  /** The droplet that an unassign destroys with it. */
  destroys_droplet_id: number | null;
  /** Its workflow waits for hosts in activities that must be told; null when it may. */
  visible_wait: 0 | 1 | null;
  created_at: Timestamp;
}

/** Admitted operations whose workflow is not known to have started. */
export interface OutboxTable {
  operation_id: string;
  /** When it may be started by whoever looks; until then it is being started. */
  due_at: Date;
  /** Nobody waits for its workflow but billing: its admission has settled it, or a billing event of it is missing. */
  settled: 0 | 1;
}

export interface HostEventsTable {
  host_id: number;
  sequence: number;
  operation_id: string;
  address_id: number;
  address: Buffer;
  change: HostChange;
  generation: number;
  droplet_id: number | null;
  anchor: Buffer | null;
  issued_at: Date;
  acknowledged_at: Date | null;
  outcome: AcknowledgmentOutcome | null;
  message: string | null;
}

export interface IdempotencyKeysTable {
  account_id: number;
  key_hash: Buffer;
  /** Hash of method, path and body: the same key may not be used for something else. */
  request_hash: Buffer;
  operation_id: string;
  /** The process that answers holds the key until then; afterwards another may take over. */
  leased_until: Date;
  status: number | null;
  body: string | null;
  created_at: Timestamp;
}

export type AuditOutcome = 'done' | 'refused';

export interface AuditLogTable {
  id: Generated<number>;
  at: Timestamp;
  requester_kind: Requester['kind'];
  requester: string | null;
  request_id: string | null;
  remote: string | null;
  account_id: number | null;
  action: string;
  subject: string;
  outcome: AuditOutcome;
  detail: string | null;
  operation_id: string | null;
}

/** A batch of entries that is sealed: see `domain/audit-log-chain.ts`. */
export interface AuditLogChainTable {
  number: number;
  first_id: number;
  last_id: number;
  entries: number;
  digests: Buffer;
  previous_hash: Buffer;
  hash: Buffer;
  sealed_at: Timestamp;
}

export interface Tables {
  regions: RegionsTable;
  pools: PoolsTable;
  hosts: HostsTable;
  host_tokens: HostTokensTable;
  operator_tokens: OperatorTokensTable;
  accounts: AccountsTable;
  tokens: TokensTable;
  droplets: DropletsTable;
  addresses: AddressesTable;
  actions: ActionsTable;
  operations: OperationsTable;
  outbox: OutboxTable;
  host_events: HostEventsTable;
  idempotency_keys: IdempotencyKeysTable;
  audit_log: AuditLogTable;
  audit_log_chain: AuditLogChainTable;
}
