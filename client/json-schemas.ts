import { z } from 'zod';
import { billingChangeSchema } from '../domain/billing.ts';
import { announcedDecisionSchema, outcomeSchema } from '../domain/decision.ts';
import { OPERATION_KINDS } from '../domain/operation.ts';

/** What other SDKs send to the workflows and get from them, by the name of the file that documents it. */
const SCHEMAS: Record<string, z.ZodType> = {
  ...Object.fromEntries(Object.entries(OPERATION_KINDS).map(([kind, { schema }]) => [`${kind}.input`, schema])),
  'operation.output': outcomeSchema,
  'verdict.output': announcedDecisionSchema,
  'publishBillingEvent.input': billingChangeSchema,
};

/** The JSON Schemas of the workflows' inputs and outputs, as the texts of their files, by file name. */
export function jsonSchemaFiles(): Map<string, string> {
  return new Map(
    Object.entries(SCHEMAS).map(([name, schema]) => [
      `${name}.json`,
      // What a later version adds is for readers to ignore.
      `${JSON.stringify({ title: name, ...z.toJSONSchema(schema, { io: 'input' }) }, null, 2)}\n`,
    ]),
  );
}
