/** What the API says of each token in a list. */
interface LastUse {
  created_at: string;
  last_used_at: string | null;
  last_used_from: string | null;
  revoked_at: string | null;
}

/** The same as columns of a table. */
export const lastUseColumns = {
  CREATED: ({ created_at }: LastUse) => created_at,
  'LAST USED': ({ last_used_at }: LastUse) => last_used_at,
  FROM: ({ last_used_from }: LastUse) => last_used_from,
  REVOKED: ({ revoked_at }: LastUse) => revoked_at,
};
