import { v7 as uuidv7 } from 'uuid';

/** UUIDv7 that names an operation everywhere inside; it exists before anything is written. */
export type OperationId = string;

/** Makes the id of a new operation. */
export function newOperationId(): OperationId {
  return uuidv7();
}
