import { type Kysely, sql } from 'kysely';

const STATEMENTS = [
  `CREATE TABLE IF NOT EXISTS audit_log (
     id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
     at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
     requester_kind VARCHAR(16) NOT NULL,
     requester VARCHAR(64) NULL,
     request_id VARCHAR(128) NULL,
     remote VARCHAR(128) NULL,
     account_id INT UNSIGNED NULL,
     action VARCHAR(64) NOT NULL,
     subject VARCHAR(255) NOT NULL,
     outcome VARCHAR(16) NOT NULL,
     detail VARCHAR(255) NULL,
     operation_id CHAR(36) NULL,
     KEY audit_log_subject (subject, id),
     KEY audit_log_account (account_id, id),
     KEY audit_log_at (at),
     CONSTRAINT audit_log_outcome CHECK (outcome IN ('done', 'refused'))
   )`,
  `CREATE TRIGGER IF NOT EXISTS audit_log_no_update BEFORE UPDATE ON audit_log FOR EACH ROW
     SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'audit_log is append-only'`,
  `CREATE TRIGGER IF NOT EXISTS audit_log_no_delete BEFORE DELETE ON audit_log FOR EACH ROW
     SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'audit_log is append-only'`,
];

/** Who did what; the database itself refuses to change or delete it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}
