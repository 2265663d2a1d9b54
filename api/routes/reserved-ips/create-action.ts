import { createRoute } from '@hono/zod-openapi';
import type { ActionRecord } from '../../../db/actions.ts';
import type { Address } from '../../../domain/address.ts';
import type { ApiApp, ApiDependencies } from '../../context.ts';
import { assignAddress } from '../../operations/assign-address.ts';
import type { OperationRequest } from '../../operations/request.ts';
import { unassignAddress } from '../../operations/unassign-address.ts';
import { presentAction } from '../../presenters/action.ts';
import { requesterOf } from '../../requester.ts';
import { actionAnswer } from '../../schemas/common.ts';
import { type ReservedIpActionRequest, reservedIpActionRequest } from '../../schemas/reserved-ip.ts';
import { errorsOfChange, idempotencyHeader, jsonAnswer, jsonRequest } from '../../schemas/responses.ts';
import { securedPost } from '../secured.ts';
import type { NamedResource } from './named-resource.ts';

/** POST /v2/reserved_ips/{ip}/actions */
export function registerCreateReservedIpAction(
  app: ApiApp,
  dependencies: ApiDependencies,
  resource: NamedResource,
): void {
  const route = createRoute({
    method: 'post',
    path: `${resource.path}/{ip}/actions`,
    operationId: `${resource.operationPrefix}Actions_post`,
    summary: 'Assign an address to a Droplet, move it to another, or unassign it',
    tags: [resource.tag],
    ...securedPost('reserved_ip:update', dependencies),
    request: { params: resource.parameter, headers: idempotencyHeader, body: jsonRequest(reservedIpActionRequest) },
    responses: { 201: jsonAnswer('The action, which goes on behind.', actionAnswer), ...errorsOfChange },
  });
  app.openapi(route, async (c) => {
    const { accountId } = c.var.caller;
    const body = c.req.valid('json');
    const action = await act(dependencies, body, {
      accountId,
      resourceType: resource.resourceType,
      operationId: c.var.operationId,
      requestedBy: requesterOf(c),
      address: c.req.valid('param').ip,
    });
    return c.json({ action: presentAction(action, resource.resourceType) }, 201);
  });
}

function act(
  dependencies: ApiDependencies,
  body: ReservedIpActionRequest,
  request: OperationRequest & { address: Address },
): Promise<ActionRecord> {
  switch (body.type) {
    case 'assign':
      return assignAddress(dependencies, { ...request, dropletId: body.droplet_id });
    case 'unassign':
      return unassignAddress(dependencies, request);
  }
}
