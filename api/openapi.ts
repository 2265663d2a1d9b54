import type { ApiApp } from './context.ts';
import { headerComponents } from './schemas/responses.ts';

/** GET /openapi.json: the OpenAPI 3.1 document of all routes, made from the schemas that check their requests. */
export function registerOpenApiDocument(app: ApiApp): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer_auth', {
    type: 'http',
    scheme: 'bearer',
    description: "A customer's token.",
  });
  for (const [name, header] of Object.entries(headerComponents)) {
    app.openAPIRegistry.registerComponent('headers', name, header);
  }
  app.doc31('/openapi.json', {
    openapi: '3.1.0',
    info: {
      title: 'Reserved IP control plane',
      version: '2.0',
      description: 'Public addresses that are held, pointed at Droplets, moved between them and given back.',
    },
    servers: [{ url: '/' }],
  });
}
