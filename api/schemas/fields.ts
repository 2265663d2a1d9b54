import { z } from '@hono/zod-openapi';
import { type IpVersion, ipVersionOf, parseAddress } from '../../domain/address.ts';

/** A required text; the messages complete a sentence that begins with the field's name. */
export const text = (longest = 255) =>
  z
    .string({ error: (issue) => (issue.input === undefined ? 'is required' : 'must be a string') })
    .min(1, 'must not be empty')
    .max(longest, `must have ${longest} characters at most`);

/** A required region. Only the slug itself names it, however the database compares texts. */
export const regionSlug = () => text(32).regex(/^[a-z][a-z0-9-]*$/, 'is invalid or not available');

/** An IPv4 address in an answer. */
export const ipv4 = () => z.ipv4().openapi({ format: 'ipv4' });

/** An IPv6 address in an answer. */
export const ipv6 = () => z.ipv6().openapi({ format: 'ipv6' });

/** A required positive integer. */
export const positiveInteger = () =>
  z
    .int({ error: (issue) => (issue.input === undefined ? 'is required' : 'must be an integer') })
    .min(1, 'must be a positive integer');

/** A number in a path; what is no number of anything is not found. */
export const numberInPath = z
  .string()
  .regex(/^[1-9]\d{0,15}$/)
  .transform(Number)
  .refine(Number.isSafeInteger)
  .openapi({ type: 'integer', minimum: 1, example: 3164444 });

const addressInPath = (ipVersion: IpVersion) =>
  z.string().transform((written, context) => {
    const address = parseAddress(written);
    if (address !== null && ipVersionOf(address) === ipVersion) return address;
    context.addIssue({ code: 'custom', message: `is not an IPv${ipVersion} address` });
    return z.NEVER;
  });

/** An IPv4 address in a path; what is no address is not found. */
export const ipv4InPath = addressInPath(4).openapi({ type: 'string', format: 'ipv4', example: '203.0.113.10' });

/** An IPv6 address in a path, in any spelling; what is no address is not found. */
export const ipv6InPath = addressInPath(6).openapi({ type: 'string', format: 'ipv6', example: '2001:db8::10' });

const numberInQuery = (least: number, most: number, otherwise: number) => {
  const message = `must be from ${least} to ${most}`;
  return z
    .string('must be given once')
    .regex(/^\d{1,9}$/, message)
    .transform(Number)
    .refine((number) => number >= least && number <= most, message)
    .default(otherwise)
    .openapi({ type: 'integer', minimum: least, maximum: most, default: otherwise });
};

/** The query of every list. */
export const pageQuery = z.object({
  page: numberInQuery(1, 999_999_999, 1),
  per_page: numberInQuery(1, 200, 20),
});
export type PageQuery = z.infer<typeof pageQuery>;
