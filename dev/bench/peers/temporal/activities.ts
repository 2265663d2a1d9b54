import { activityInfo, CompleteAsyncError } from '@temporalio/activity';
import type { Pool } from 'mysql2/promise';
import { admit, settle } from '../common/database.ts';
import type { Admitted, Decision, OperationRequest, SettledEvent } from '../common/operation.ts';
import type { EventPublisher } from '../common/publisher.ts';
import type { HostTeller } from '../common/tell-host.ts';

/** The steps of the operation. */
export interface PeerActivities {
  admit(request: OperationRequest): Promise<Decision>;
  /** Ends when the host has acknowledged. */
  changeHost(request: OperationRequest, admitted: Admitted): Promise<void>;
  settle(request: OperationRequest, admitted: Admitted): Promise<string>;
  publish(event: SettledEvent): Promise<void>;
}

/** What the activities need. */
export interface PeerDependencies {
  database: Pool;
  publisher: EventPublisher;
  hosts: HostTeller;
  /** Where hosts acknowledge. */
  acknowledgmentUrl: string;
}

/** Makes the activities; the host's acknowledgment completes `changeHost` from outside, by its task token. */
export function createPeerActivities(dependencies: PeerDependencies): PeerActivities {
  const { database, publisher, hosts, acknowledgmentUrl } = dependencies;
  return {
    admit: (request) => admit(database, request),
    async changeHost(request, admitted) {
      const taskToken = activityInfo().base64TaskToken;
      await hosts.tell(request, admitted, { url: acknowledgmentUrl, body: { taskToken } });
      throw new CompleteAsyncError();
    },
    settle: (request, admitted) => settle(database, request, admitted),
    publish: (event) => publisher.publish(event),
  };
}
