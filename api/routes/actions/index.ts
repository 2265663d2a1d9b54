import type { ApiApp, ApiDependencies } from '../../context.ts';
import { registerListActions } from './list.ts';
import { registerShowAction } from './show.ts';

/** /v2/actions */
export function registerActionRoutes(app: ApiApp, dependencies: ApiDependencies): void {
  registerListActions(app, dependencies);
  registerShowAction(app, dependencies);
}
