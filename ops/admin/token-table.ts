import { z } from 'zod';

/** What the API says of each token in a list. */
export const lastUseSchema = {
  created_at: z.string(),
  last_used_at: z.string().nullable(),
  last_used_from: z.string().nullable(),
  revoked_at: z.string().nullable(),
};

type LastUse = { [Field in keyof typeof lastUseSchema]: z.infer<(typeof lastUseSchema)[Field]> };

/** The same as columns of a table. */
export const lastUseColumns = {
  CREATED: ({ created_at }: LastUse) => created_at,
  'LAST USED': ({ last_used_at }: LastUse) => last_used_at,
  FROM: ({ last_used_from }: LastUse) => last_used_from,
  REVOKED: ({ revoked_at }: LastUse) => revoked_at,
};
