/** A rule of the system that does not hold; `invariant` is its number in `docs/design.md`. */
export interface Violation {
  invariant: number;
  /** What it is about: an address, an action, an event. */
  subject: string;
  detail: string;
}

/** Operations whose workflow was gone. */
export interface TakenUp {
  /** Operations that hold a fence. */
  open: number;
  /** Those that were started again, by their workflow ids. */
  takenUp: string[];
}

/** What is left for a person, of a part of the audit. */
export interface Findings {
  /** How many there are; only the first of them are given. */
  count: number;
  violations: Violation[];
}

/** What sealing the audit log did. */
export interface Sealed {
  /** How many entries. */
  entries: number;
  /** The newest batch, as `number:hash`; kept with the report, out of reach of the database's users. */
  anchor: string | null;
}

/** What one run of the audit did and found. */
export interface ReconcilerReport {
  /** The database's time at its start, as RFC 3339; the next run looks at what changed since. */
  until: string;
  open: number;
  takenUp: string[];
  findings: number;
  violations: Violation[];
  /** Of the audit log; runs of older builds do not have it. */
  sealed?: Sealed;
}
