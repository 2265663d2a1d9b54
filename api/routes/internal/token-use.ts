import { z } from '@hono/zod-openapi';

/** What lists of tokens say of each: when it was made, used last and revoked. */
export const lastUseFields = {
  created_at: z.iso.datetime(),
  last_used_at: z.iso.datetime().nullable().openapi({ description: 'To the minute; null when it was never used.' }),
  last_used_from: z.string().nullable().openapi({ description: 'The network address of the last use.' }),
  revoked_at: z.iso.datetime().nullable(),
};

/** A token's times, as they are in the database. */
export interface TokenTimes {
  createdAt: Date;
  lastUsedAt: Date | null;
  lastUsedFrom: string | null;
  revokedAt: Date | null;
}

/** The same as operators read them. */
export function presentLastUse({ createdAt, lastUsedAt, lastUsedFrom, revokedAt }: TokenTimes) {
  return {
    created_at: createdAt.toISOString(),
    last_used_at: lastUsedAt?.toISOString() ?? null,
    last_used_from: lastUsedFrom,
    revoked_at: revokedAt?.toISOString() ?? null,
  };
}
