import type { ApiApp, ApiDependencies } from '../../context.ts';
import { registerLive } from './live.ts';
import { registerReady } from './ready.ts';

/** /healthz and /readyz, open to anyone. */
export function registerHealthRoutes(app: ApiApp, dependencies: ApiDependencies): void {
  registerLive(app);
  registerReady(app, dependencies);
}
