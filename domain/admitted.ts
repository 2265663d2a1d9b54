import type { Address } from './address.ts';
import type { Admitted, Fence, HostCommand, RecordedAdmitted } from './decision.ts';
import type { HostChange } from './host-protocol.ts';

/*
 * What an admitted operation told hosts. Without a library, because workflows carry what they import.
 */

/** The one form of an admitted operation, whichever version recorded it. */
export function admittedOf(recorded: RecordedAdmitted): Admitted {
  const { hostCommands, attachTo, detachFrom, address, generation } = recorded;
  if (hostCommands) return { ...recorded, hostCommands };
  const attaching = attachTo === null ? [] : [{ host: attachTo, change: 'attach' as const, address, generation }];
  const detaching = detachFrom.map((host) => ({ host, change: 'detach' as const, address, generation }));
  return { ...recorded, hostCommands: [...attaching, ...detaching] };
}

/** Every host that an admitted operation told something. */
export function hostsOf({ hostCommands }: Admitted): string[] {
  return [...new Set(hostCommands.map(({ host }) => host))];
}

/** The commands of one kind. */
export function commandsOf({ hostCommands }: Admitted, change: HostChange): HostCommand[] {
  return hostCommands.filter((command) => command.change === change);
}

/** The fence under which an operation changes one of its addresses. Throws for an address that it does not change. */
export function fenceOf(admitted: Admitted, address: Address): Fence {
  const fence = fencesOf(admitted).find((one) => one.address === address);
  if (!fence) throw new Error(`operation ${admitted.operationId} does not change ${address}`);
  return fence;
}

/** Every address that an admitted operation changes: first its own, by which its workflow is named. */
export function fencesOf({ address, actionId, generation, furtherFences = [] }: Admitted): [Fence, ...Fence[]] {
  return [{ address, actionId, generation }, ...furtherFences];
}
