/** A rule of the system that does not hold; `invariant` is its number in `docs/design.md`. */
export interface Violation {
  invariant: number;
  /** The address, action or billing event that it is about. */
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

/** Findings that need an operator, of one part of a run. */
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

/** What one run of the scheduled reconciler did and found. Recorded as its workflow's result. */
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
