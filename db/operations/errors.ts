import { ACTION_ENDED, DROPLET_UNAVAILABLE, FENCE_MISSING, NOT_REVERSIBLE, SUPERSEDED } from '../../domain/names.ts';
import type { OperationKind } from '../../domain/operation.ts';
import type { ActionStatus } from '../schema.ts';

/**
 * A step of an operation may not write, has changed nothing, and would not succeed later. Each reason is a class of its
 * own; its message is what operators read.
 */
export abstract class FinalStepError extends Error {
  /** Its name as a failure of a workflow. */
  readonly type: string;
  readonly actionId: number;

  constructor(type: string, actionId: number, message: string) {
    super(message);
    this.name = new.target.name;
    this.type = type;
    this.actionId = actionId;
  }
}

/** Another action has had the fence of the address since. */
export class SupersededError extends FinalStepError {
  readonly supersededBy: number;

  constructor(actionId: number, supersededBy: number) {
    super(SUPERSEDED, actionId, `superseded by action ${supersededBy}`);
    this.supersededBy = supersededBy;
  }
}

/** The action has ended, and has given its fence up. */
export class ActionEndedError extends FinalStepError {
  readonly status: Exclude<ActionStatus, 'in-progress'>;

  constructor(actionId: number, status: Exclude<ActionStatus, 'in-progress'>) {
    const end = status === 'completed' ? 'has completed already' : 'was undone already';
    super(ACTION_ENDED, actionId, `action ${actionId} ${end}`);
    this.status = status;
  }
}

/** The droplet that the operation would take its address to was destroyed, or has another address by now. */
export class DropletUnavailableError extends FinalStepError {
  readonly dropletId: number | null;
  readonly reason: 'destroyed' | 'taken';

  constructor(actionId: number, dropletId: number | null, reason: 'destroyed' | 'taken') {
    const why = reason === 'destroyed' ? 'was destroyed' : 'has another address by now';
    super(DROPLET_UNAVAILABLE, actionId, `droplet ${dropletId} ${why}`);
    this.dropletId = dropletId;
    this.reason = reason;
  }
}

/** The operation is of a kind that is never undone. */
export class NotReversibleError extends FinalStepError {
  readonly kind: OperationKind;

  constructor(actionId: number, kind: OperationKind) {
    super(NOT_REVERSIBLE, actionId, `action ${actionId} is a ${kind}, which is final`);
    this.kind = kind;
  }
}

/** Nobody holds the fence, although the action is in progress: somebody has changed the row by hand. */
export class FenceMissingError extends FinalStepError {
  constructor(actionId: number) {
    super(FENCE_MISSING, actionId, `action ${actionId} is in progress, but the address has no fence of it`);
  }
}

/** Why an action does not hold the fence of its address. */
export function reasonForNoFence(
  action: { id: number; status: ActionStatus },
  lastActionId: number | null,
): FinalStepError {
  if (lastActionId !== null && lastActionId !== action.id) return new SupersededError(action.id, lastActionId);
  return action.status === 'in-progress'
    ? new FenceMissingError(action.id)
    : new ActionEndedError(action.id, action.status);
}
