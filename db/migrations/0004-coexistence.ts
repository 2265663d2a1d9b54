import { type Kysely, sql } from 'kysely';

/*
 * While a company moves over, its old stack writes the same rows, by what it read a while before and without a lock.
 * What this stack does needs no trigger; it is for those that do not know the fence.
 */

const STATEMENT = `
  CREATE TRIGGER IF NOT EXISTS addresses_taken_over AFTER UPDATE ON addresses FOR EACH ROW
  BEGIN
    IF NOT (NEW.last_action_id <=> OLD.last_action_id) THEN
      IF (OLD.pending_action_id IS NOT NULL OR NEW.generation <= OLD.generation)
        AND EXISTS (SELECT 1 FROM actions WHERE id = OLD.last_action_id AND operation_id IS NOT NULL) THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the address has gone on with another operation';
      END IF;
      IF NEW.target_droplet_id IS NOT NULL
        AND EXISTS (SELECT 1 FROM addresses
                    WHERE droplet_id = NEW.target_droplet_id AND family = NEW.family AND id <> NEW.id) THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the droplet has another address';
      END IF;
    END IF;
  END`;

/**
 * Nobody takes an address over from an operation of this stack that is open, or by what was read before it; and
 * nobody sends a second address to a droplet that has one.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(STATEMENT).execute(db);
}
