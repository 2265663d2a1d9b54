import { partyOfAddress } from '../platform/fairness/party.ts';
import type { ApiApp, Audience } from './context.ts';
import { type Fairness, spendOrReject } from './fairness/fairness.ts';
import { headerComponents } from './schemas/responses.ts';

/** Where operators read what the API offers to them and to hosts. */
export const INTERNAL_DOCUMENT = '/internal/openapi.json';

const PUBLIC_PATHS = /^\/(v2|healthz|readyz)(\/|$)/;
const PUBLIC_SECURITY = 'bearer_auth';
const OPENAPI = { openapi: '3.1.0', servers: [{ url: '/' }] };

type Document = ReturnType<ApiApp['getOpenAPI31Document']>;

/** Options of {@link registerOpenApiDocuments}. */
export interface DocumentOptions {
  /** Whom the app serves. */
  audiences: readonly Audience[];
  fairness: Fairness;
  /** An app with the routes of all audiences. */
  documented: () => ApiApp;
}

/**
 * GET /openapi.json is the OpenAPI 3.1 document of what customers may use, made from the schemas that check their
 * requests; GET /internal/openapi.json is that of everything else, for operators.
 */
export function registerOpenApiDocuments(app: ApiApp, { audiences, fairness, documented }: DocumentOptions): void {
  const { addresses, openDocuments } = fairness;
  app.openAPIRegistry.registerComponent('securitySchemes', PUBLIC_SECURITY, {
    type: 'http',
    scheme: 'bearer',
    description: "A customer's token.",
  });
  for (const [name, header] of Object.entries(headerComponents)) {
    app.openAPIRegistry.registerComponent('headers', name, header);
  }
  let documents: { forCustomers: string; forOperators: string } | undefined;
  // Made at the first request, when every route is known, and kept: making it costs more than most requests.
  const read = () => {
    if (documents) return documents;
    const made = openApiDocuments(documented());
    documents = { forCustomers: JSON.stringify(made.forCustomers), forOperators: JSON.stringify(made.forOperators) };
    return documents;
  };
  const headers = { 'content-type': 'application/json' };
  if (audiences.includes('customers')) {
    app.get('/openapi.json', (c) => {
      spendOrReject(openDocuments, partyOfAddress(addresses.of(c)), 1);
      return c.body(read().forCustomers, 200, headers);
    });
  }
  if (audiences.includes('operators')) app.get(INTERNAL_DOCUMENT, (c) => c.body(read().forOperators, 200, headers));
}

/** Both documents of an app with the routes of all audiences. */
export function openApiDocuments(app: ApiApp): { forCustomers: Document; forOperators: Document } {
  return { forCustomers: forCustomers(app), forOperators: forOperators(app) };
}

function forCustomers(app: ApiApp): Document {
  const info = {
    title: 'Reserved IP control plane',
    version: '2.0',
    description: 'Reserve public addresses, assign them to Droplets, move them between Droplets, and release them.',
  };
  return partOf(app.getOpenAPI31Document({ ...OPENAPI, info }), (path) => PUBLIC_PATHS.test(path));
}

function forOperators(app: ApiApp): Document {
  const info = {
    title: 'Reserved IP control plane, for operators and hosts',
    version: '1.0',
    description: 'Manage regions, pools, hosts, accounts and tokens; and the protocol of the host agents.',
  };
  return partOf(app.getOpenAPI31Document({ ...OPENAPI, info }), (path) => !PUBLIC_PATHS.test(path));
}

/** A document with some of its paths, and of its components only those that these paths use. */
function partOf(document: Document, has: (path: string) => boolean): Document {
  const paths = Object.fromEntries(Object.entries(document.paths ?? {}).filter(([path]) => has(path)));
  const used = new Set<string>();
  const collect = (value: unknown): void => {
    for (const [, kind = '', name = ''] of JSON.stringify(value).matchAll(/"#\/components\/(\w+)\/([^"]+)"/g)) {
      const component = `${kind}/${name}`;
      if (used.has(component)) continue;
      used.add(component);
      collect(componentsOf(document)[kind]?.[name] ?? null);
    }
  };
  collect(paths);
  const schemes = new Set(
    Object.values(paths).flatMap((path) =>
      Object.values(path).flatMap((operation: { security?: Record<string, unknown>[] }) =>
        (operation?.security ?? []).flatMap((requirement) => Object.keys(requirement)),
      ),
    ),
  );
  const components = Object.fromEntries(
    Object.entries(componentsOf(document)).map(([kind, all]) => {
      const isUsed = (name: string) => (kind === 'securitySchemes' ? schemes.has(name) : used.has(`${kind}/${name}`));
      return [kind, Object.fromEntries(Object.entries(all).filter(([name]) => isUsed(name)))];
    }),
  );
  return { ...document, paths, components };
}

function componentsOf({ components = {} }: Document): Record<string, Record<string, unknown>> {
  return Object.fromEntries(Object.entries(components).map(([kind, all]) => [kind, { ...all }]));
}
