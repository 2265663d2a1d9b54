import { z } from 'zod';

/** The name of whoever uses the admin token. */
export const BOOTSTRAP_OPERATOR = 'admin';

/** Who asked for a change, for the audit log: no secret, only what names one. */
export const requesterSchema = z.object({
  /** A customer's token, an operator, or an internal service. */
  kind: z.enum(['token', 'admin', 'service']),
  /** Number of the token, or name of the operator or the service; null for operators before they had names. */
  name: z.string().max(64).nullable(),
  /** The request id that is on the answer and in the logs; null without one. */
  requestId: z.string().max(128).nullable(),
  /** Network address that it came from; null when that is not known. */
  remote: z.string().max(128).nullable(),
});
export type Requester = z.infer<typeof requesterSchema>;
