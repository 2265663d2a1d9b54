import type { Operation, OperationKind, OperationOf } from '../../domain/operation.ts';
import { assign } from './assign-writes.ts';
import type { OperationWrites } from './kind.ts';
import { release } from './release-writes.ts';
import { reserve } from './reserve-writes.ts';
import { unassign } from './unassign-writes.ts';

/** What every kind of operation writes. */
const OPERATION_WRITES: { [Kind in OperationKind]: OperationWrites<OperationOf<Kind>> } = {
  reserve,
  assign,
  unassign,
  release,
};

/** What an operation's kind writes. */
export function writesOf({ kind }: Operation): OperationWrites<Operation> {
  return OPERATION_WRITES[kind];
}
