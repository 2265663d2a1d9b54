import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { OPERATIONS, type OperationName, RESOURCE_NAMES } from '../../../edge/code-paths.ts';
import { SCENES } from './scene-names.ts';

/*
 * The test plan, `cases/`: one file for each operation, whose name it has.
 */

/** Whose token a request carries. */
export const BEARERS = [
  'own',
  'none',
  'unknown',
  'revoked',
  'without any right',
  'without reserved_ip:create',
  'without reserved_ip:read',
  'without reserved_ip:update',
  'without reserved_ip:delete',
  'with reserved_ip:read alone',
  'with one request a minute',
  'of a host',
  'of an operator',
] as const;
export type Bearer = (typeof BEARERS)[number];

/** A text, or one written many times, or bytes in hexadecimal digits. */
const part = z.union([
  z.string(),
  z.strictObject({ repeat: z.string(), times: z.int().positive() }),
  z.strictObject({ hex: z.string().regex(/^([\da-f]{2} ?)*$/) }),
]);
export type BodyPart = z.infer<typeof part>;

const body = z.union([
  z.strictObject({ json: z.json() }),
  z.strictObject({ text: z.string() }),
  z.strictObject({ parts: z.array(part) }),
]);

const caseSchema = z.strictObject({
  /** A sentence. */
  name: z.string().regex(/^[A-Z].{14,}[^.]$/, 'is no sentence (a capital, and no full stop)'),
  /** Default both. */
  resourceNames: z
    .array(z.enum(RESOURCE_NAMES))
    .nonempty()
    .default([...RESOURCE_NAMES]),
  scene: z.enum(SCENES).default('nothing'),
  token: z.enum(BEARERS).default('own'),
  /** Method and path; what is in braces is of the scene, or the `{resource_name}`. */
  request: z.string().regex(/^[A-Z]+ \/\S*$/, 'is no request line'),
  /** A list is one header that comes more than once. */
  headers: z.record(z.string(), z.union([part, z.array(part)])).default({}),
  body: body.optional(),
  /** How often it is sent, one after the other; the last answer counts. */
  times: z.int().min(1).default(1),
  /** Status, and the error's id. */
  expect: z.union([z.int(), z.string().regex(/^[45]\d\d [a-z_]+$/)]),
  /** Neither upstream looks at who asks, as nothing can be where it leads; so they do not even differ in every case's way. */
  unseen: z.boolean().default(false),
  /** The whole message of the error, where customers' programs are known to read it. */
  message: z.string().optional(),
});

/** A case of the plan. */
export interface PlannedCase extends Omit<z.infer<typeof caseSchema>, 'expect'> {
  operation: OperationName;
  status: number;
  /** Of an error. */
  errorId: string | null;
}

/** Reads the plan. Throws what is wrong with it, with the file and the case. */
export async function readPlan(): Promise<PlannedCase[]> {
  const read = OPERATIONS.map(async (operation) => {
    const cases = await readData(`cases/${operation}.yaml`, z.array(caseSchema));
    return cases.map(({ expect, ...rest }): PlannedCase => {
      const [status = '', errorId = null] = String(expect).split(' ');
      return { ...rest, operation, status: Number(status), errorId };
    });
  });
  return (await Promise.all(read)).flat();
}

const differenceSchema = z.strictObject({
  /** Its name in the plan. */
  case: z.string(),
  /** What the legacy upstream answers, when that is another status; then nothing else is compared. */
  legacy: z.int().optional(),
  /** What the gateway answers itself, whichever upstream is behind it. */
  gateway: z.int().optional(),
  /** Where answers of the same status differ: `headers.…` or the way to a field of the body. */
  fields: z.array(z.string()).default([]),
  reason: z.string(),
});
export type ListedDifference = z.infer<typeof differenceSchema>;

const everywhereSchema = z.strictObject({ fields: z.array(z.string()).nonempty(), reason: z.string() });

/** Differences that are left, each with its reason. */
export interface ListedDifferences {
  /** In all answers of all cases. */
  everywhere: z.infer<typeof everywhereSchema>[];
  cases: ListedDifference[];
}

/** Reads the differences that are left. Throws what is wrong with the file. */
export function readDifferences(): Promise<ListedDifferences> {
  const schema = z.strictObject({ everywhere: z.array(everywhereSchema), cases: z.array(differenceSchema) });
  return readData('differences.yaml', schema);
}

async function readData<Schema extends z.ZodType>(name: string, schema: Schema): Promise<z.infer<Schema>> {
  const path = join(import.meta.dirname, name);
  const read = schema.safeParse(parse(await readFile(path, 'utf8')));
  if (!read.success) throw new Error(`${path}: ${z.prettifyError(read.error)}`);
  return read.data;
}
