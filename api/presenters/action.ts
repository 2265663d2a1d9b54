import type { ActionRecord } from '../../db/actions.ts';
import { addressToResourceId } from '../../domain/address.ts';
import type { ResourceType } from '../../domain/operation.ts';
import type { ActionBody } from '../schemas/common.ts';
import { presentRegion } from './region.ts';
import { presentTime } from './time.ts';

/** An action as v2 clients read it. Below an address it carries the resource type of the path that was asked. */
export function presentAction(
  action: ActionRecord,
  resourceType: ResourceType | 'droplet' = action.resourceType,
): ActionBody {
  return {
    id: action.id,
    status: action.status,
    type: action.type,
    started_at: presentTime(action.startedAt),
    completed_at: action.completedAt && presentTime(action.completedAt),
    resource_id: action.address === null ? action.dropletId : (addressToResourceId(action.address) ?? action.addressId),
    resource_type: resourceType,
    region: presentRegion(action.region),
    region_slug: action.region.slug,
  };
}
