import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { encodeSearchAttributeIndexedValueType } from '@temporalio/common/lib/search-attributes.js';
import { SEARCH_ATTRIBUTES, STUCK_QUERY } from '../../domain/search-attributes.ts';

/** How long a server may take to know a new attribute everywhere. Its caches are renewed every ten seconds or so. */
const KNOWN_WITHIN_MS = 60_000;
const LOOK_AGAIN_AFTER_MS = 200;

/** A search attribute is registered with another type than the control plane needs; Temporal cannot change a type. */
export class SearchAttributeTypeError extends Error {
  readonly attribute: string;

  constructor(attribute: string, namespace: string) {
    super(`search attribute ${attribute} of namespace ${namespace} has another type; remove it there first`);
    this.name = 'SearchAttributeTypeError';
    this.attribute = attribute;
  }
}

/**
 * Registers the search attributes of the control plane in the client's namespace, and waits until workflows can be
 * started with them. Answers the names of those that were new; does nothing when all are there.
 * Throws {@link SearchAttributeTypeError}, and Temporal's error when it cannot be reached.
 */
export async function registerSearchAttributes(temporal: Client): Promise<string[]> {
  const { namespace } = temporal.options;
  const { operatorService } = temporal.connection;
  const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
  const missing: Record<string, number> = {};
  for (const { name, type } of SEARCH_ATTRIBUTES) {
    const wanted = encodeSearchAttributeIndexedValueType(type) ?? 0;
    const registered = customAttributes?.[name];
    if (registered === undefined || registered === null) missing[name] = wanted;
    else if (registered !== wanted) throw new SearchAttributeTypeError(name, namespace);
  }
  const names = Object.keys(missing);
  if (names.length === 0) return names;
  await operatorService.addSearchAttributes({ namespace, searchAttributes: missing });
  await untilKnown(temporal);
  return names;
}

async function untilKnown(temporal: Client): Promise<void> {
  const deadline = Date.now() + KNOWN_WITHIN_MS;
  for (;;) {
    try {
      await temporal.workflow.count(STUCK_QUERY);
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(LOOK_AGAIN_AFTER_MS);
    }
  }
}
