/** Numbers that look random and are the same for the same seed, so that a failure can be repeated. */
export interface SeededRandom {
  /** A whole number from 0 up to, not including, `bound`. */
  below(bound: number): number;
  /** One of a list that is not empty. */
  from<Item>(items: readonly [Item, ...Item[]] | readonly Item[]): Item;
}

/** Numbers of one seed. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed;
  const below = (bound: number) => {
    // In 32 bits exactly: a plain product loses its lowest bits, and the numbers soon go round in a circle.
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return Math.floor((state / 2_147_483_648) * bound);
  };
  return {
    below,
    from: (items) => {
      const item = items[below(items.length)];
      if (item === undefined) throw new RangeError('the list is empty');
      return item;
    },
  };
}
