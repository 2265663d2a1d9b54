import { ReadableError } from '../text/readable-error.ts';
import { shown } from '../text/visible.ts';

/** Where a server was to listen. */
export interface ListenAddress {
  host: string;
  port: number;
  /** The setting that says the port, for the message. */
  portSetting?: string | undefined;
}

/** A server could not listen on its address. */
export class ListenError extends ReadableError {
  override readonly name = 'ListenError';
  readonly host: string;
  readonly port: number;
  /** Node's code, such as `EADDRINUSE`; null when there is none. */
  readonly code: string | null;

  constructor(address: ListenAddress, cause: unknown, code = codeOf(cause)) {
    super(`${shown`Cannot listen on ${hostAndPort(address)}`}: ${problem(address, code, cause)}`, { cause });
    this.host = address.host;
    this.port = address.port;
    this.code = code;
  }
}

function codeOf(cause: unknown): string | null {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : null;
}

function problem({ host, portSetting }: ListenAddress, code: string | null, cause: unknown): string {
  const another = portSetting === undefined ? 'choose another port' : `set ${portSetting} to another port`;
  switch (code) {
    case 'EADDRINUSE':
      return `another process listens there. Stop it, or ${another}.`;
    case 'EACCES':
      return `this user may not. Ports below 1024 need the privilege; ${another}.`;
    case 'EADDRNOTAVAIL':
      return shown`${host} is no address of this machine.`;
    default:
      return shown`${cause instanceof Error ? cause.message : String(cause)}.`;
  }
}

function hostAndPort({ host, port }: ListenAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
