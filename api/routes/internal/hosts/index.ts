import type { ApiApp, ApiDependencies } from '../../../context.ts';
import { registerHostDeclarations } from './declarations.ts';
import { registerHostRegistration } from './registration.ts';
import { registerHostTokenRoutes } from './tokens.ts';

/** Hosts, their tokens, and the operator's word on whether they are there. */
export function registerHostAdministration(app: ApiApp, dependencies: ApiDependencies): void {
  registerHostRegistration(app, dependencies);
  registerHostTokenRoutes(app, dependencies);
  registerHostDeclarations(app, dependencies);
}
