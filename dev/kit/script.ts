import { InvalidArgumentError } from 'commander';

/*
 * What the scripts of benches, demonstrations and long tests have in common.
 */

/** A signal that is aborted when somebody stops this process, which then ends by itself. */
export function stoppingSignal(): AbortSignal {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.abort());
  return stopping.signal;
}

/** Hands lines on with the seconds since now before each. */
export function withSeconds(write: (line: string) => void): (line: string) => void {
  const started = performance.now();
  return (line) => write(`${((performance.now() - started) / 1_000).toFixed(1).padStart(6)}  ${line}`);
}

/** Reads a number from a command line that is at least so much, and whole if it must be. */
export function numberFrom(least: number, { whole = false } = {}): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (text !== '' && number >= least && (!whole || Number.isInteger(number))) return number;
    throw new InvalidArgumentError(`A ${whole ? 'whole ' : ''}number from ${least} is needed.`);
  };
}
