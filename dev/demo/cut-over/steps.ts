/** A step of a migration: what is asked of `npm run flip`. */
export interface Step {
  name: string;
  /** The options of the command; `own` are the company's own accounts. */
  flip(own: readonly string[]): string[];
}

/** The walk, there, back at once, and there again. */
export const STEPS: readonly Step[] = [
  { name: '0', flip: () => ['all', 'off'] },
  { name: 'own user ids', flip: (own) => ['all', '--allow', ...own] },
  { name: '5 %', flip: () => ['all', '5'] },
  { name: '50 %', flip: () => ['all', '50'] },
  { name: '100 %', flip: () => ['all', '100'] },
  { name: 'off', flip: () => ['all', 'off'] },
  { name: '100 % again', flip: () => ['all', '100'] },
];
