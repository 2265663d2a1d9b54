import type { BillingChangeKind } from './billing.ts';

/** The types of actions that v2 clients know; an operation may have several actions. */
export type ActionType = 'reserve_ip' | 'assign_ip' | 'unassign_ip' | 'release_ip' | 'create' | 'rename';

/** What other modules must know about the actions of a type. */
interface ActionTypeDefinition {
  /** The billing event of one; null when it is not about an address. */
  billed: BillingChangeKind | null;
  /** When it takes effect for its owner: as it begins, or as it completes. */
  takesEffect: 'at its start' | 'at its end';
  /** While one is in progress, its address must be on no host. */
  takesOffHosts: boolean;
}

export const ACTION_TYPES: { readonly [Type in ActionType]: ActionTypeDefinition } = {
  reserve_ip: { billed: 'reserved', takesEffect: 'at its end', takesOffHosts: false },
  assign_ip: { billed: 'assigned', takesEffect: 'at its end', takesOffHosts: false },
  unassign_ip: { billed: 'unassigned', takesEffect: 'at its end', takesOffHosts: true },
  release_ip: { billed: 'released', takesEffect: 'at its start', takesOffHosts: true },
  create: { billed: null, takesEffect: 'at its end', takesOffHosts: false },
  rename: { billed: null, takesEffect: 'at its end', takesOffHosts: false },
};

/** The types of which something holds. */
export function actionTypesThat(holds: (definition: ActionTypeDefinition) => boolean): ActionType[] {
  return ALL_TYPES.filter((type) => holds(ACTION_TYPES[type]));
}

const ALL_TYPES = Object.keys(ACTION_TYPES).filter((type): type is ActionType => type in ACTION_TYPES);
