import { z } from 'zod';
import { parseAddress } from '../domain/address.ts';

/** The longest spelling of an IPv6 address that ends in an IPv4 one; nothing longer is looked at. */
const LONGEST_ADDRESS = 45;

/**
 * One address in its canonical spelling, and nothing else: dotted quad, or RFC 5952 for IPv6. What another spelling
 * means is not guessed. The brand lets the compiler reject text that was not parsed.
 */
export const canonicalAddressSchema = z
  .string()
  .refine((text) => text.length <= LONGEST_ADDRESS && parseAddress(text) === text, {
    error: 'no address in its canonical form',
    // Whoever builds on this is not asked about text that is no address.
    abort: true,
  })
  .brand<'CanonicalAddress'>();

/** An address that was parsed by {@link canonicalAddressSchema}. */
export type CanonicalAddress = z.infer<typeof canonicalAddressSchema>;

/** An address that changed every millisecond would get there in 34 years. */
const HIGHEST_GENERATION = 2 ** 40;

/** A generation of an address, as it comes from outside: none that could not have been counted. */
export const generationSchema = z.int().min(0).max(HIGHEST_GENERATION);

/** A value from outside as text that can do no harm where it is shown: printable ASCII, and short. */
export function quoted(value: unknown, longest = 60): string {
  const text = typeof value === 'string' ? value : `(${value === null ? 'null' : typeof value})`;
  const escaped = JSON.stringify(text.slice(0, longest)).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return text.length > longest ? `${escaped} and ${text.length - longest} characters more` : escaped;
}
