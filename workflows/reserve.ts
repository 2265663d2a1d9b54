import type { ReserveOperation } from '../domain/operation.ts';
import type { Outcome } from '../domain/verdict.ts';
import { admit, attached, bill, settle, undoAndFail } from './steps.ts';
import { announceVerdict } from './verdict.ts';

/**
 * Gives a free address to the account, which admit settles by itself. With a droplet it goes on as an assign does;
 * when that fails, the address stays reserved and is on no droplet.
 */
export async function reserve(operation: ReserveOperation): Promise<Outcome> {
  const announce = announceVerdict();
  const { verdict, patience } = await admit(operation);
  announce(verdict);
  if (verdict.kind === 'refused') return verdict;

  const reservedBilled = bill(verdict.billing);
  if (!verdict.settled) {
    try {
      await attached(operation, verdict, patience);
    } catch (error) {
      await reservedBilled;
      return undoAndFail(operation, verdict, error);
    }
    await reservedBilled;
    await bill(await settle(operation, verdict));
  }
  await reservedBilled;
  return { kind: 'completed', actionId: verdict.actionId, address: verdict.address };
}
