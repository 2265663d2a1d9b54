import { type Kysely, sql } from 'kysely';

/*
 * SYSDATE, because NOW and UTC_TIMESTAMP tell whatever time a session has set itself. It is the time of the session's
 * zone, so no other zone than UTC is taken.
 */
export const STATEMENTS: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS audit_log_chain (
     number BIGINT UNSIGNED NOT NULL PRIMARY KEY,
     first_id BIGINT UNSIGNED NOT NULL,
     last_id BIGINT UNSIGNED NOT NULL,
     entries INT UNSIGNED NOT NULL,
     digests MEDIUMBLOB NOT NULL,
     previous_hash BINARY(32) NOT NULL,
     hash BINARY(32) NOT NULL,
     sealed_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
     CONSTRAINT audit_log_chain_range CHECK (first_id <= last_id AND entries > 0)
   )`,
  `CREATE TRIGGER IF NOT EXISTS audit_log_chain_no_update BEFORE UPDATE ON audit_log_chain FOR EACH ROW
     SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'audit_log_chain is append-only'`,
  `CREATE TRIGGER IF NOT EXISTS audit_log_chain_no_delete BEFORE DELETE ON audit_log_chain FOR EACH ROW
     SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'audit_log_chain is append-only'`,
  `CREATE TRIGGER IF NOT EXISTS audit_log_chain_insert BEFORE INSERT ON audit_log_chain FOR EACH ROW
   BEGIN
     DECLARE newest BIGINT UNSIGNED DEFAULT 0;
     DECLARE newest_id BIGINT UNSIGNED DEFAULT 0;
     DECLARE newest_hash BINARY(32) DEFAULT REPEAT(CHAR(0), 32);
     IF @@session.time_zone <> '+00:00' THEN
       SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'audit_log_chain is written in UTC';
     END IF;
     IF EXISTS (SELECT 1 FROM audit_log_chain) THEN
       SELECT number, last_id, hash INTO newest, newest_id, newest_hash
       FROM audit_log_chain ORDER BY number DESC LIMIT 1;
     END IF;
     IF NEW.number <> newest + 1 OR NEW.first_id <> newest_id + 1 OR NEW.previous_hash <> newest_hash THEN
       SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'audit_log_chain goes on from its newest batch only';
     END IF;
     SET NEW.sealed_at = SYSDATE(3);
   END`,
  `CREATE TRIGGER IF NOT EXISTS audit_log_insert BEFORE INSERT ON audit_log FOR EACH ROW
   BEGIN
     IF COALESCE(NEW.id, 0) <> 0 THEN
       SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'audit_log numbers its entries itself';
     END IF;
     IF @@session.insert_id <> 0 THEN
       SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'audit_log numbers its entries itself';
     END IF;
     IF @@session.time_zone <> '+00:00' THEN
       SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'audit_log is written in UTC';
     END IF;
     SET NEW.at = SYSDATE(3);
   END`,
  // Under NO_AUTO_VALUE_ON_ZERO a 0 stays one.
  `CREATE TRIGGER IF NOT EXISTS audit_log_numbered AFTER INSERT ON audit_log FOR EACH ROW
   BEGIN
     IF NEW.id < 1 THEN
       SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'audit_log numbers its entries itself';
     END IF;
   END`,
];

/**
 * The database gives every entry its time and number, whatever a statement says, and has a table for the chain of hashes
 * over the entries. Those that are there already are sealed as they are.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}
