/** Everything a worker can run, by the names that starters use. */
export { assign } from './assign.ts';
export { audit } from './audit.ts';
export { publishBillingEvent } from './billing.ts';
export { release } from './release.ts';
export { reserve } from './reserve.ts';
export { unassign } from './unassign.ts';
