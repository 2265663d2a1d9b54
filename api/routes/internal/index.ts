import type { ApiApp, ApiDependencies } from '../../context.ts';
import type { Fairness } from '../../fairness/fairness.ts';
import { bodyLimit } from '../../middleware/body-limit.ts';
import { rejectedChanges } from '../../middleware/rejected-changes.ts';
import { INTERNAL_DOCUMENT } from '../../openapi.ts';
import { operatorOf } from '../../requester.ts';
import { registerAccountAdministration } from './accounts.ts';
import { registerAuditLogRoute } from './audit-log.ts';
import { authenticateOperator } from './authenticate.ts';
import { registerHostAdministration } from './hosts/index.ts';
import { registerOperatorAdministration } from './operators.ts';
import { registerPoolRoutes } from './pools.ts';
import { registerTokenLists } from './token-lists.ts';

/** What operators do: regions, pools, hosts, accounts and tokens, behind the tokens of operators. */
export function registerInternalRoutes(app: ApiApp, dependencies: ApiDependencies, fairness: Fairness): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'adminToken', { type: 'http', scheme: 'bearer' });
  const authenticated = authenticateOperator({ ...dependencies, fairness });
  app.use('/internal/v1/*', authenticated);
  app.use(INTERNAL_DOCUMENT, authenticated);
  app.use('/internal/v1/*', rejectedChanges({ db: dependencies.db, requesterOf: operatorOf }), bodyLimit());
  registerPoolRoutes(app, dependencies);
  registerHostAdministration(app, dependencies);
  registerAccountAdministration(app, dependencies);
  registerAuditLogRoute(app, dependencies);
  registerOperatorAdministration(app, dependencies);
  registerTokenLists(app, dependencies);
}
