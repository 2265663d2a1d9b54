/** A place where two answers differ. */
export interface Difference {
  /** `status`, `body`, or the way to the field, like `reserved_ips.0.locked`. */
  field: string;
  primary: unknown;
  shadow: unknown;
}

/** An answer as far as it is compared. */
export interface ComparedAnswer {
  status: number;
  body: string;
}

/** More than these of one pair say nothing new. */
const MOST_DIFFERENCES = 20;

/**
 * Where two answers differ. JSON is compared by what it says, not by how it is written. Ignored fields are names, which
 * count at any depth (`request_id`), or whole ways with `*` for any one part (`reserved_ips.*.locked`).
 */
export function compareAnswers(primary: ComparedAnswer, shadow: ComparedAnswer, ignored: string[]): Difference[] {
  const found: Difference[] = [];
  if (primary.status !== shadow.status) {
    found.push({ field: 'status', primary: primary.status, shadow: shadow.status });
  }
  const [first, second] = [parse(primary.body), parse(shadow.body)];
  if (first === undefined || second === undefined) {
    if (primary.body !== shadow.body) found.push({ field: 'body', primary: primary.body, shadow: shadow.body });
    return found;
  }
  const isIgnored = ignoring(ignored);
  const walk = (one: unknown, other: unknown, way: string[]): void => {
    if (found.length >= MOST_DIFFERENCES || Object.is(one, other) || isIgnored(way)) return;
    const [ones, others] = [partsOf(one), partsOf(other)];
    if (ones === null || others === null || Array.isArray(one) !== Array.isArray(other)) {
      found.push({ field: way.join('.') || 'body', primary: one, shadow: other });
      return;
    }
    for (const name of new Set([...ones.keys(), ...others.keys()])) {
      walk(ones.get(name), others.get(name), [...way, name]);
    }
  };
  walk(first, second, []);
  return found;
}

function partsOf(value: unknown): Map<string, unknown> | null {
  return typeof value === 'object' && value !== null ? new Map(Object.entries(value)) : null;
}

function ignoring(ignored: string[]): (way: string[]) => boolean {
  const names = new Set(ignored.filter((field) => !field.includes('.')));
  const ways = ignored.filter((field) => field.includes('.')).map((field) => field.split('.'));
  return (way) =>
    names.has(way.at(-1) ?? '') ||
    ways.some((parts) => parts.length === way.length && parts.every((part, at) => part === '*' || part === way[at]));
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
