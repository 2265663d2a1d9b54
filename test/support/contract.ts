import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { z } from 'zod';
import type { Answer } from '../../dev/kit/http.ts';

const parameterSchema = z.looseObject({
  name: z.string(),
  in: z.enum(['path', 'query', 'header', 'cookie']),
  required: z.boolean().optional(),
  schema: z.looseObject({}),
});
const contentSchema = z.record(z.string(), z.looseObject({ schema: z.looseObject({}) }));
const responseSchema = z.looseObject({
  description: z.string().min(1),
  headers: z.record(z.string(), z.looseObject({})).optional(),
  content: contentSchema.optional(),
});
const operationSchema = z.looseObject({
  operationId: z.string().optional(),
  parameters: z.array(parameterSchema).default([]),
  requestBody: z.looseObject({ required: z.boolean().optional(), content: contentSchema }).optional(),
  responses: z.record(z.string().regex(/^[1-5]\d\d$/), responseSchema),
  security: z.array(z.record(z.string(), z.array(z.string()))).default([]),
});

/** An OpenAPI 3.1 document, as far as a document must have a form for clients to be made from it. */
export const openApiSchema = z.looseObject({
  openapi: z.string().regex(/^3\.1\.\d+$/),
  info: z.looseObject({ title: z.string().min(1), version: z.string().min(1) }),
  paths: z.record(
    z.string().regex(/^\//),
    z.partialRecord(z.enum(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']), operationSchema),
  ),
  components: z.looseObject({
    schemas: z.record(z.string(), z.looseObject({})),
    securitySchemes: z.record(z.string(), z.looseObject({ type: z.string() })),
  }),
});
export type OpenApi = z.infer<typeof openApiSchema>;

/** One operation of a document. */
export interface DocumentedOperation {
  method: string;
  path: string;
  operation: z.infer<typeof operationSchema>;
}

/** All operations of a document. */
export function operationsOf({ paths }: OpenApi): DocumentedOperation[] {
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
}

/** Checks requests and answers against the OpenAPI document of the API. */
export class Contract {
  /** What has been answered, as `GET /v2/account 200`. */
  readonly seen = new Set<string>();
  readonly #document: OpenApi;
  readonly #ajv: Ajv2020;

  constructor(document: OpenApi) {
    this.#document = document;
    this.#ajv = new Ajv2020({ strict: false, allErrors: true });
    formats.default(this.#ajv);
    this.#ajv.addSchema(withoutFurtherKeys(document), 'answers');
    this.#ajv.addSchema(document, 'requests');
  }

  /** The schemas of the document that JSON Schema does not allow. */
  misshapenSchemas(): string[] {
    return Object.entries(this.#document.components.schemas)
      .filter(([, schema]) => this.#ajv.validateSchema(schema) !== true)
      .map(([name]) => name);
  }

  /** Every way in which an answer is not as the document has it. */
  problems(method: string, url: string, answer: Answer): string[] {
    const documented = this.#find(method, url);
    if (!documented) return [`${method} ${url} is not documented`];
    const name = `${method} ${documented.path} ${answer.status}`;
    this.seen.add(name);
    const response = documented.operation.responses[answer.status];
    if (!response) return [`${name} is not documented`];
    const missing = Object.keys(response.headers ?? {}).filter((header) => answer.headers.get(header) === null);
    return [
      ...missing.map((header) => `${name} lacks the header ${header}`),
      ...this.#bodyProblems(name, answer, [...pointerTo(documented), 'responses', String(answer.status)], response),
    ];
  }

  /** Whether the document says that this body may be sent. */
  allowsBody(method: string, url: string, body: unknown): boolean {
    const documented = this.#find(method, url);
    if (!documented?.operation.requestBody) throw new Error(`${method} ${url} has no documented body`);
    return this.#validator('requests', [...pointerTo(documented), 'requestBody', ...JSON_SCHEMA])(body);
  }

  #bodyProblems(name: string, answer: Answer, pointer: string[], response: z.infer<typeof responseSchema>): string[] {
    if (!response.content) return answer.text === '' ? [] : [`${name} has a body`];
    const type = answer.headers.get('content-type') ?? 'none';
    if (!/^application\/json(;|$)/.test(type)) return [`${name} has the type ${type}`];
    const validate = this.#validator('answers', [...pointer, ...JSON_SCHEMA]);
    if (validate(answer.body)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) => `${name}${instancePath} ${message} ${JSON.stringify(params)}`,
    );
  }

  #validator(root: string, pointer: string[]): ValidateFunction {
    const escaped = pointer.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')));
    const reference = `${root}#/${escaped.join('/')}`;
    const known = this.#ajv.getSchema(reference);
    if (known) return known;
    throw new Error(`the document has no ${reference}`);
  }

  #find(method: string, url: string): DocumentedOperation | undefined {
    const [path = ''] = url.split('?');
    return operationsOf(this.#document).find(
      (one) => one.method === method && new RegExp(`^${one.path.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path),
    );
  }
}

const JSON_SCHEMA = ['content', 'application/json', 'schema'];

function pointerTo({ method, path }: DocumentedOperation): string[] {
  return ['paths', path, method.toLowerCase()];
}

/** The same document with every object closed, so that a key that it does not name is a mistake. */
function withoutFurtherKeys<Value>(value: Value): Value;
function withoutFurtherKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((one) => withoutFurtherKeys(one));
  if (typeof value !== 'object' || value === null) return value;
  const closed = Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withoutFurtherKeys(one)]));
  return closed.type === 'object' && 'properties' in closed ? { additionalProperties: false, ...closed } : closed;
}

/** Every `$ref` in a document, and whether there is something where it points. */
export function findReferences(document: OpenApi): { reference: string; resolves: boolean }[] {
  const found: { reference: string; resolves: boolean }[] = [];
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if ('$ref' in value && typeof value.$ref === 'string') {
      found.push({ reference: value.$ref, resolves: resolve(document, value.$ref) !== undefined });
    }
    for (const one of Object.values(value)) walk(one);
  };
  walk(document);
  return found;
}

function resolve(document: unknown, reference: string): unknown {
  if (!reference.startsWith('#/')) return undefined;
  return reference
    .slice(2)
    .split('/')
    .map((part) => decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>((value, key) => (Object(value) === value ? Reflect.get(Object(value), key) : undefined), document);
}
