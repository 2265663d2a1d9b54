import { gunzipSync } from 'node:zlib';
import type { Met } from './mysql.ts';
import type { Direction, UnitLength, Watcher } from './tap.ts';

/*
 * What a process says to Temporal: HTTP/2 without encryption, whose frames have a header of nine bytes.
 */

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const HEADER = 9;
const DATA = 0;
const HEADERS = 1;
const END_STREAM = 0x1;
const PADDED = 0x8;
const PREFIX = 5;
const OPERATION_ID = /"id":"([\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12})"/;
const KINDS = ['reserve', 'assign', 'unassign', 'release'];

const frameLength: UnitLength = (buffered) => (buffered.length < HEADER ? null : HEADER + buffered.readUIntBE(0, 3));

export const GRPC_UNITS: Record<Direction, UnitLength> = {
  request: (buffered, isFirst) => (isFirst ? PREFACE.length : frameLength(buffered, false)),
  answer: frameLength,
};

/** Meets a start of an operation's workflow before all of it has reached Temporal. */
export function onStart(met: Met): Watcher {
  const messages = new RequestMessages();
  return (connection, direction, frame) => {
    const id = direction === 'request' ? messages.startIn(connection, frame) : null;
    return id === null ? 'pass' : met([id]);
  };
}

/** Meets Temporal's answer that it has started an operation's workflow. */
export function onStarted(met: Met): Watcher {
  const messages = new RequestMessages();
  const started = new Map<string, string>();
  return (connection, direction, frame) => {
    const stream = `${connection}/${streamOf(frame)}`;
    if (direction === 'request') {
      const id = messages.startIn(connection, frame);
      if (id !== null) started.set(stream, id);
      return 'pass';
    }
    const id = frame[3] === HEADERS ? started.get(stream) : undefined;
    if (id === undefined) return 'pass';
    started.delete(stream);
    // A call that failed is answered by nothing but its end.
    return ((frame[4] ?? 0) & END_STREAM) === 0 ? met([id]) : 'pass';
  };
}

/** Holds everything that a process says. */
export const holdRequests: Watcher = (_, direction) => (direction === 'request' ? 'hold' : 'pass');

/** Puts the message of each call together from its frames, for calls that have begun since. */
class RequestMessages {
  readonly #begun = new Map<string, Buffer>();

  /** The operation whose start is complete with this frame; null when it is anything else. */
  startIn(connection: number, frame: Buffer): string | null {
    const stream = `${connection}/${streamOf(frame)}`;
    if (frame[3] === HEADERS) this.#begun.set(stream, Buffer.alloc(0));
    const before = frame[3] === DATA ? this.#begun.get(stream) : undefined;
    if (before === undefined) return null;
    const message = Buffer.concat([before, dataOf(frame)]);
    if (message.length < PREFIX || message.length < PREFIX + message.readUInt32BE(1)) {
      this.#begun.set(stream, message);
      return null;
    }
    this.#begun.delete(stream);
    const body = message.subarray(PREFIX);
    return operationStarted(message[0] === 1 ? gunzipSync(body) : body);
  }
}

function streamOf(frame: Buffer): number {
  return frame.readUInt32BE(5) & 0x7fff_ffff;
}

function dataOf(frame: Buffer): Buffer {
  const isPadded = ((frame[4] ?? 0) & PADDED) !== 0;
  return isPadded ? frame.subarray(HEADER + 1, frame.length - (frame[HEADER] ?? 0)) : frame.subarray(HEADER);
}

/** A start begins with its namespace, its workflow id and a message with the workflow's type. */
function operationStarted(message: Buffer): string | null {
  const namespace = fieldAt(message, 0, 1);
  const workflowId = namespace && fieldAt(message, namespace.end, 2);
  const type = workflowId && fieldAt(message, workflowId.end, 3);
  const name = type && fieldAt(type.value, 0, 1);
  if (!name || !KINDS.includes(name.value.toString('utf8'))) return null;
  return OPERATION_ID.exec(message.toString('latin1'))?.[1] ?? null;
}

/** A field of bytes of fewer than 128, at a place in a message of Protocol Buffers. */
function fieldAt(message: Buffer, offset: number, number: number): { value: Buffer; end: number } | null {
  const length = message[offset + 1];
  if (message[offset] !== ((number << 3) | 2) || length === undefined || length > 127) return null;
  const end = offset + 2 + length;
  return message.length < end ? null : { value: message.subarray(offset + 2, end), end };
}
