import { Client, Connection } from '@temporalio/client';
import { createReservedIpClient, type Decision, type Outcome, type ReservedIpClient } from 'reserved-ip-client';
import { codecKeysSchema, createDataConverter } from 'reserved-ip-client/data-converter';

/*
 * An internal service that has the SDK and nothing else of this project: takes an address, points it at two droplets in
 * turn, takes it off, tries that a second time, and gives it back. Prints what each operation came to, as one line of JSON.
 */

const [address = '', keys = '', accountId = 0, region = '', first = 0, second = 0] = readArguments(
  process.argv.slice(2),
);
const dataConverter = createDataConverter(codecKeysSchema.parse(keys));
const connection = await Connection.connect({ address });
const temporal = new Client({ connection, dataConverter });
const reservedIps: ReservedIpClient = createReservedIpClient({ temporal, service: 'walk' });

const reserved = await reservedIps.reserve({ accountId, target: { region, dropletId: null } });
const ip = addressOf(reserved.decision);
const outcomes: Outcome[] = [await reserved.completed()];
for (const dropletId of [first, second]) {
  outcomes.push(await (await reservedIps.assign({ accountId, address: ip, dropletId })).completed());
}
for (let time = 1; time <= 2; time++) {
  outcomes.push(await (await reservedIps.unassign({ accountId, address: ip })).completed());
}
outcomes.push(await (await reservedIps.release({ accountId, address: ip })).completed());
console.log(JSON.stringify({ ip, outcomes }));
await connection.close();

function addressOf(decision: Decision): string {
  if (decision.kind === 'refused') throw new Error(decision.refusal);
  return decision.address;
}

function readArguments([temporalAddress, codecKeys, account, slug, ...droplets]: string[]) {
  return [temporalAddress, codecKeys, Number(account), slug, ...droplets.map(Number)] as const;
}
