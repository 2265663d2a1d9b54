import { Client, Connection } from '@temporalio/client';
import { inject, onTestFinished } from 'vitest';

/** A Temporal client of the running test, closed when it is over. */
export async function useTemporal(): Promise<Client> {
  const connection = await Connection.connect({ address: inject('stack').temporalAddress });
  onTestFinished(() => connection.close());
  return new Client({ connection });
}
