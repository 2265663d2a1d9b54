import type { ApiApp, ApiDependencies } from '../../context.ts';
import { bodyLimit } from '../../middleware/body-limit.ts';
import { refusedChanges } from '../../middleware/refused-changes.ts';
import { operatorOf } from '../../requester.ts';
import { registerAccountAdministration } from './accounts.ts';
import { registerAuditLogRoute } from './audit-log.ts';
import { authenticateAdmin } from './authenticate.ts';
import { registerHostAdministration } from './hosts.ts';
import { registerPoolRoutes } from './pools.ts';

/** What operators do: regions, pools, hosts, accounts and tokens, behind the admin token. */
export function registerInternalRoutes(app: ApiApp, dependencies: ApiDependencies): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'adminToken', { type: 'http', scheme: 'bearer' });
  app.use('/internal/v1/*', authenticateAdmin(dependencies.adminToken));
  app.use('/internal/v1/*', refusedChanges({ db: dependencies.db, requesterOf: operatorOf }), bodyLimit());
  registerPoolRoutes(app, dependencies);
  registerHostAdministration(app, dependencies);
  registerAccountAdministration(app, dependencies);
  registerAuditLogRoute(app, dependencies);
}
