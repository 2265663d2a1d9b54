import { createConnection } from 'mysql2/promise';
import { z } from 'zod';

/** The tables of one peer; the columns and keys that an assign uses in the control plane's own. */
const TABLES = `
  CREATE TABLE droplets (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    account_id INT UNSIGNED NOT NULL,
    host_url VARCHAR(255) NOT NULL,
    KEY droplets_account (account_id, id)
  );
  CREATE TABLE addresses (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    address VARBINARY(16) NOT NULL,
    account_id INT UNSIGNED NOT NULL,
    droplet_id BIGINT UNSIGNED NULL,
    target_droplet_id BIGINT UNSIGNED NULL,
    generation BIGINT UNSIGNED NOT NULL DEFAULT 0,
    pending_action_id BIGINT UNSIGNED NULL,
    last_action_id BIGINT UNSIGNED NULL,
    changed_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    UNIQUE KEY addresses_address (address),
    UNIQUE KEY addresses_droplet (droplet_id),
    UNIQUE KEY addresses_target (target_droplet_id),
    KEY addresses_account (account_id, id),
    KEY addresses_pending (pending_action_id)
  );
  CREATE TABLE actions (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    operation_id CHAR(36) NOT NULL,
    account_id INT UNSIGNED NOT NULL,
    address_id BIGINT UNSIGNED NOT NULL,
    droplet_id BIGINT UNSIGNED NOT NULL,
    type VARCHAR(32) NOT NULL,
    status VARCHAR(16) NOT NULL,
    started_at DATETIME(3) NOT NULL,
    completed_at DATETIME(3) NULL,
    UNIQUE KEY actions_operation (operation_id),
    KEY actions_account (account_id, id),
    KEY actions_address (address_id, account_id, id),
    KEY actions_droplet (droplet_id, id),
    KEY actions_status (status, id)
  );
  CREATE TABLE host_commands (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    operation_id CHAR(36) NOT NULL,
    address_id BIGINT UNSIGNED NOT NULL,
    \`change\` VARCHAR(16) NOT NULL,
    generation BIGINT UNSIGNED NOT NULL,
    droplet_id BIGINT UNSIGNED NOT NULL,
    issued_at DATETIME(3) NOT NULL,
    acknowledged_at DATETIME(3) NULL,
    KEY host_commands_operation (operation_id),
    KEY host_commands_address (address_id, id)
  )`;

/** The one account of a peer. */
export const ACCOUNT_ID = 1;

/** An address of a peer and the droplet it goes back and forth on. */
export interface PeerLane {
  address: string;
  dropletId: number;
}

/**
 * Makes a peer's database with one lane for each host URL, and answers its URL and the lanes in that order.
 *
 * @param serverUrl of a user that may make databases whose names begin with `reserved_ip`
 */
export async function makePeerDatabase(
  serverUrl: string,
  peer: string,
  hostUrls: readonly string[],
): Promise<{ url: string; lanes: PeerLane[] }> {
  const name = `reserved_ip_peer_${peer}`;
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const maker = await createConnection({ uri: serverUrl });
  try {
    await maker.query('CREATE DATABASE ??', [name]);
  } finally {
    await maker.end();
  }
  const connection = await createConnection({ uri: url.href, multipleStatements: true });
  try {
    await connection.query(TABLES);
    const lanes = hostUrls.map((hostUrl, index) => ({
      address: `198.19.0.${index + 1}`,
      dropletId: index + 1,
      hostUrl,
    }));
    await connection.query('INSERT INTO droplets (id, account_id, host_url) VALUES ?', [
      lanes.map(({ dropletId, hostUrl }) => [dropletId, ACCOUNT_ID, hostUrl]),
    ]);
    for (const { address } of lanes) {
      await connection.query('INSERT INTO addresses (address, account_id) VALUES (INET6_ATON(?), ?)', [
        address,
        ACCOUNT_ID,
      ]);
    }
    return { url: url.href, lanes };
  } finally {
    await connection.end();
  }
}

const countsSchema = z.object({ completed: z.coerce.number(), doubled: z.coerce.number(), open: z.coerce.number() });

/** What MySQL says of a series of operations. */
export type RecordedOutcome = z.infer<typeof countsSchema>;

const OUTCOME = `
  SELECT
    (SELECT COUNT(*) FROM actions JOIN host_commands USING (operation_id)
      WHERE operation_id IN (?) AND status = 'completed' AND acknowledged_at IS NOT NULL) AS completed,
    (SELECT COUNT(*) FROM addresses
      WHERE generation <> (SELECT COUNT(*) FROM actions WHERE address_id = addresses.id)) AS doubled,
    (SELECT COUNT(*) FROM addresses WHERE pending_action_id IS NOT NULL) AS open`;

/**
 * Counts the outcome of the operations with these ids: how many are completed with their host's acknowledgment, how
 * many addresses have been changed more or less often than they have actions, and how many are still fenced.
 */
export async function readOutcome(url: string, operationIds: readonly string[]): Promise<RecordedOutcome> {
  const connection = await createConnection({ uri: url });
  try {
    const [rows] = await connection.query(OUTCOME, [operationIds]);
    return z.array(countsSchema).length(1).parse(rows)[0] ?? { completed: 0, doubled: 0, open: 0 };
  } finally {
    await connection.end();
  }
}
