import { z } from 'zod';

/*
 * Kinds of settings that several processes have.
 */

export const milliseconds = z.coerce.number().int().positive();
export const seconds = z.coerce.number().nonnegative();
export const port = z.coerce.number().int().min(0).max(65_535);
export const flag = z.enum(['true', 'false']).transform((text) => text === 'true');

export const loggingFields = {
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
};

/** Base URL of the API for one audience: `own` where that has an address of its own, otherwise API_URL. */
export function apiUrlSchema(own: 'INTERNAL_URL' | 'HOST_API_URL') {
  return z
    .object({ API_URL: z.url().optional(), INTERNAL_URL: z.url().optional(), HOST_API_URL: z.url().optional() })
    .transform((fields, context) => {
      const apiUrl = fields[own] ?? fields.API_URL;
      if (apiUrl !== undefined) return { apiUrl };
      context.addIssue({ code: 'custom', path: ['API_URL'], message: `is needed, or ${own}` });
      return z.NEVER;
    });
}
