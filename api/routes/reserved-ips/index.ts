import type { ApiApp, ApiDependencies } from '../../context.ts';
import { registerCreateReservedIp } from './create.ts';
import { registerCreateReservedIpAction } from './create-action.ts';
import { registerCreateReservedIpv6 } from './create-ipv6.ts';
import { registerDeleteReservedIp } from './delete.ts';
import { registerListReservedIps } from './list.ts';
import { registerListReservedIpActions } from './list-actions.ts';
import { FLOATING_IPS, RESERVED_IPS, RESERVED_IPV6 } from './named-resource.ts';
import { registerShowReservedIp } from './show.ts';
import { registerShowReservedIpAction } from './show-action.ts';

/** /v2/reserved_ips and /v2/floating_ips, two names for one store, and /v2/reserved_ipv6. */
export function registerReservedIpRoutes(app: ApiApp, dependencies: ApiDependencies): void {
  for (const resource of [RESERVED_IPS, FLOATING_IPS]) {
    registerListReservedIps(app, dependencies, resource);
    registerCreateReservedIp(app, dependencies, resource);
    registerShowReservedIp(app, dependencies, resource);
    registerDeleteReservedIp(app, dependencies, resource);
    registerListReservedIpActions(app, dependencies, resource);
    registerCreateReservedIpAction(app, dependencies, resource);
    registerShowReservedIpAction(app, dependencies, resource);
  }
  registerListReservedIps(app, dependencies, RESERVED_IPV6);
  registerCreateReservedIpv6(app, dependencies);
  registerShowReservedIp(app, dependencies, RESERVED_IPV6);
  registerDeleteReservedIp(app, dependencies, RESERVED_IPV6);
  registerCreateReservedIpAction(app, dependencies, RESERVED_IPV6);
}
