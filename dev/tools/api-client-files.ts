import openapiTS, { astToString } from 'openapi-typescript';

/** Where the generated types are, from the top of the project. */
export const GENERATED_FOLDER = 'platform/api-client/generated';

/** The API's two OpenAPI documents, as JSON. */
export interface ApiDocuments {
  /** `/openapi.json` */
  forCustomers: string;
  /** `/internal/openapi.json` */
  forOperators: string;
}

const HEADER = '// Generated from the OpenAPI documents of the API by `npm run api-client`; changes here are lost.\n\n';

/** The types of the API client, as the texts of their files, by file name. */
export async function apiClientFiles({ forCustomers, forOperators }: ApiDocuments): Promise<Map<string, string>> {
  return new Map([
    ['customer-api.ts', await typesOf(forCustomers)],
    ['internal-api.ts', await typesOf(forOperators)],
  ]);
}

async function typesOf(document: string): Promise<string> {
  // A field of a request that has a default may be left out.
  return HEADER + astToString(await openapiTS(document, { defaultNonNullable: false, alphabetize: true }));
}
