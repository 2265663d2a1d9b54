/** A rule of the system that does not hold; `invariant` is its number in `docs/design.md`. */
export interface Violation {
  invariant: number;
  /** What it is about: an address, an action, an event. */
  subject: string;
  detail: string;
}

/** The same between two looks, while figures in the detail go on. */
export function identityOf({ invariant, subject }: Violation): string {
  return `${invariant} ${subject}`;
}

/** One line for a terminal. */
export function describeViolation({ invariant, subject, detail }: Violation): string {
  return `invariant ${invariant}: ${subject}: ${detail}`;
}
