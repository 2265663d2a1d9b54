import type { ApiApp, ApiDependencies } from '../../context.ts';
import { registerCreateDroplet } from './create.ts';
import { registerCreateDropletAction } from './create-action.ts';
import { registerDeleteDroplet } from './delete.ts';
import { registerListDroplets } from './list.ts';
import { registerListDropletActions } from './list-actions.ts';
import { registerShowDroplet } from './show.ts';
import { registerShowDropletAction } from './show-action.ts';

/** /v2/droplets */
export function registerDropletRoutes(app: ApiApp, dependencies: ApiDependencies): void {
  registerListDroplets(app, dependencies);
  registerCreateDroplet(app, dependencies);
  registerShowDroplet(app, dependencies);
  registerDeleteDroplet(app, dependencies);
  registerListDropletActions(app, dependencies);
  registerCreateDropletAction(app, dependencies);
  registerShowDropletAction(app, dependencies);
}
