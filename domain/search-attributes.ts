import { defineSearchAttributeKey, type SearchAttributePair } from '@temporalio/common';
import { hostsOf } from './admitted.ts';
import type { Admitted } from './decision.ts';
import type { Operation } from './operation.ts';

/*
 * What operators search workflows by. The migration step registers each in Temporal. They are not covered by payload
 * encryption, so nothing secret may go into them.
 */

/** The address an operation is about. */
export const ADDRESS = defineSearchAttributeKey('ReservedIpAddress', 'KEYWORD');
/** Number of the account that asked for it. */
export const ACCOUNT = defineSearchAttributeKey('ReservedIpAccount', 'INT');
/** Region of the address. */
export const REGION = defineSearchAttributeKey('ReservedIpRegion', 'KEYWORD');
/** Id of the operation. */
export const OPERATION = defineSearchAttributeKey('ReservedIpOperation', 'KEYWORD');
/** Hosts that it told something. */
export const HOST = defineSearchAttributeKey('ReservedIpHost', 'KEYWORD_LIST');
/** It has been trying for longer than its threshold, and still is. */
export const STUCK = defineSearchAttributeKey('ReservedIpStuck', 'BOOL');
/** Findings of an audit that need a person. */
export const FINDINGS = defineSearchAttributeKey('ReservedIpFindings', 'INT');

/** All of them, for whoever registers them. */
export const SEARCH_ATTRIBUTES = [ADDRESS, ACCOUNT, REGION, OPERATION, HOST, STUCK, FINDINGS] as const;

/** Lists every operation, event or audit that is stuck, in Temporal's query language. */
export const STUCK_QUERY = `${STUCK.name} = true AND ExecutionStatus = 'Running'`;

/** What can be said of it once it is admitted; all of it, since not every starter gives attributes. */
export function attributesOfAdmitted(operation: Operation, admitted: Admitted): SearchAttributePair[] {
  return [
    { key: ACCOUNT, value: operation.accountId },
    { key: OPERATION, value: operation.id },
    { key: ADDRESS, value: admitted.address },
    { key: REGION, value: admitted.region },
    { key: HOST, value: hostsOf(admitted) },
  ];
}
