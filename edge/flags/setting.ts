import { z } from 'zod';

/** Who goes to the new upstream on one code path. */
export interface FlagSetting {
  /** When false, everybody goes to legacy, whatever else is set. */
  on: boolean;
  /** Users in percent, in hundredths at the finest. */
  percent: number;
  /** Users who go to the new upstream in any case. */
  allow: string[];
  /** Users who go to legacy in any case, also those who are allowed. */
  deny: string[];
}

export const OFF: FlagSetting = { on: false, percent: 0, allow: [], deny: [] };

/** 100 % in the parts in which shares are counted. */
const WHOLE = 10_000;
const USER = { var: 'targetingKey' } as const;
/**
 * What a user's place is computed from. It is the same for all flags, so that at the same percentage the same users are
 * moved on every path.
 */
const PLACE = { cat: ['reserved-ip/', USER] } as const;

const userLiteral = z.strictObject({ var: z.literal('targetingKey') });
const isListed = z.strictObject({ in: z.tuple([userLiteral, z.array(z.string())]) });

/** A flag in flagd's own format, of the one shape that is written here. */
export const flagSchema = z.strictObject({
  state: z.enum(['ENABLED', 'DISABLED']),
  variants: z.strictObject({ new: z.literal(true), legacy: z.literal(false) }),
  defaultVariant: z.literal('legacy'),
  targeting: z.strictObject({
    if: z.tuple([
      isListed,
      z.literal('legacy'),
      isListed,
      z.literal('new'),
      z.strictObject({
        fractional: z.tuple([
          z.strictObject({ cat: z.tuple([z.literal('reserved-ip/'), userLiteral]) }),
          z.tuple([z.literal('new'), z.int().min(0)]),
          z.tuple([z.literal('legacy'), z.int().min(0)]),
        ]),
      }),
    ]),
  }),
});
export type Flag = z.infer<typeof flagSchema>;

/**
 * The flag that carries out a setting. A user's place is a hash, cut into as many parts as the two shares together, so
 * as long as those add up to the same, a larger share of `new` holds all the users of a smaller one.
 */
export function flagOf({ on, percent, allow, deny }: FlagSetting): Flag {
  const share = Math.round((percent / 100) * WHOLE);
  return {
    state: on ? 'ENABLED' : 'DISABLED',
    variants: { new: true, legacy: false },
    defaultVariant: 'legacy',
    targeting: {
      if: [
        { in: [USER, deny] },
        'legacy',
        { in: [USER, allow] },
        'new',
        { fractional: [{ cat: [...PLACE.cat] }, ['new', share], ['legacy', WHOLE - share]] },
      ],
    },
  };
}

/** The setting that a flag carries out. */
export function settingOf(flag: Flag): FlagSetting {
  const [denied, , allowed, , { fractional }] = flag.targeting.if;
  const [, [, moved], [, rest]] = fractional;
  const percent = moved + rest === 0 ? 0 : (moved / (moved + rest)) * 100;
  return { on: flag.state === 'ENABLED', percent, allow: allowed.in[1], deny: denied.in[1] };
}
