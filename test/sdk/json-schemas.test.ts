import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { jsonSchemaFiles } from '../../client/json-schemas.ts';
import { PROJECT_FOLDER } from '../../dev/environment/paths.ts';
import { SCHEMA_FOLDER, validators } from '../support/json-schemas.ts';
import { readHistories } from '../support/recorded-histories.ts';

const payloadsSchema = z.object({ payloads: z.array(z.object({ data: z.string().optional() })).optional() });
const eventSchema = z.looseObject({
  workflowExecutionStartedEventAttributes: z
    .looseObject({ workflowType: z.object({ name: z.string() }), input: payloadsSchema.optional() })
    .optional(),
  workflowExecutionCompletedEventAttributes: z.looseObject({ result: payloadsSchema.optional() }).optional(),
});

function decoded(payloads: z.infer<typeof payloadsSchema> | undefined): unknown {
  const data = payloads?.payloads?.[0]?.data;
  return data === undefined ? undefined : JSON.parse(Buffer.from(data, 'base64').toString('utf8'));
}

describe('the JSON Schemas of the workflows', () => {
  test('in the documentation are those of the types: `npm run schemas` writes them', async () => {
    const files = jsonSchemaFiles();
    expect((await readdir(SCHEMA_FOLDER)).sort()).toEqual([...files.keys()].sort());
    for (const [name, text] of files) expect(await readFile(join(SCHEMA_FOLDER, name), 'utf8'), name).toBe(text);
  });

  test('hold for the examples of the documentation', async () => {
    const documentation = await readFile(join(PROJECT_FOLDER, 'docs/protocols.md'), 'utf8');
    const section = documentation.split('\n## ').find((text) => text.startsWith('Workflows, for other SDKs')) ?? '';
    const examples = [...section.matchAll(/```json\n(.*?)```/gs)].map(([, text = '']) =>
      z.looseObject({}).parse(JSON.parse(text)),
    );
    const known = await validators();
    expect(examples.length).toBeGreaterThan(6);
    for (const example of examples) {
      const name = 'verdict' in example ? 'verdict.output.json' : `${String(example.kind)}.input.json`;
      const validate = known.get(name);
      expect(validate?.(example), `${name}: ${JSON.stringify(validate?.errors)}`).toBe(true);
    }
  });

  test('hold for what recorded workflows were given and answered, and for nothing else', async () => {
    const known = await validators();
    let checked = 0;
    for (const { name, history } of await readHistories()) {
      const { events } = z.object({ events: z.array(eventSchema) }).parse(history);
      const started = events[0]?.workflowExecutionStartedEventAttributes;
      const input = known.get(`${started?.workflowType.name}.input.json`);
      if (!input) continue;
      const given = decoded(started?.input);
      expect(input(given), `${name}: ${JSON.stringify(input.errors)}`).toBe(true);
      expect(input({ ...z.looseObject({}).parse(given), accountId: 'seven' }), name).toBe(false);
      const result = decoded(events.at(-1)?.workflowExecutionCompletedEventAttributes?.result);
      const output = known.get('operation.output.json');
      if (result !== undefined && result !== null)
        expect(output?.(result), `${name}: ${JSON.stringify(output?.errors)}`).toBe(true);
      checked++;
    }
    expect(checked).toBeGreaterThan(20);
  });
});
