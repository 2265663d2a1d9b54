import type { Operation, OperationKind, OperationOf } from '../../domain/operation.ts';
import { assignWrites } from './assign-writes.ts';
import type { OperationWrites } from './kind.ts';
import { releaseWrites } from './release-writes.ts';
import { reserveWrites } from './reserve-writes.ts';
import { unassignWrites } from './unassign-writes.ts';

/** What every kind of operation writes. */
const OPERATION_WRITES: { [Kind in OperationKind]: OperationWrites<OperationOf<Kind>> } = {
  reserve: reserveWrites,
  assign: assignWrites,
  unassign: unassignWrites,
  release: releaseWrites,
};

/** What an operation's kind writes. */
export function writesOf({ kind }: Operation): OperationWrites<Operation> {
  return OPERATION_WRITES[kind];
}
