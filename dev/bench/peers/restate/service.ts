import { createServer } from 'node:http2';
import { type Context, createEndpointHandler, service } from '@restatedev/restate-sdk';
import { admit, openPeerDatabase, settle } from '../common/database.ts';
import type { Admitted, Decision, OperationRequest } from '../common/operation.ts';
import { EventPublisher } from '../common/publisher.ts';
import { readServiceSettings } from '../common/service-settings.ts';
import { HostTeller } from '../common/tell-host.ts';

/*
 * The operation on Restate. The request's handler runs the admission as a durable step, sends the rest as a one-way
 * message, and answers; the rest waits for the host by an awakeable, which the host resolves at Restate's ingress.
 */

const settings = readServiceSettings(process.env);
const database = openPeerDatabase(settings.mysqlUrl);
const publisher = new EventPublisher(settings.kafkaBrokers, settings.topic);
const hosts = new HostTeller();
await publisher.connect();

const operations = service({
  name: 'operations',
  handlers: {
    async request(context: Context, request: OperationRequest): Promise<Decision> {
      const decision = await context.run('admit', () => admit(database, request));
      if (decision.kind === 'admitted') {
        context.serviceSendClient<Operations>({ name: 'operations' }).carryOut({ request, admitted: decision });
      }
      return decision;
    },

    async carryOut(context: Context, { request, admitted }: AdmittedRequest): Promise<void> {
      const acknowledgment = context.awakeable<string>();
      const url = `${settings.server}/restate/awakeables/${acknowledgment.id}/resolve`;
      await context.run('tell host', () => hosts.tell(request, admitted, { url, body: 'applied' }));
      await acknowledgment.promise;
      const settledAt = await context.run('settle', () => settle(database, request, admitted));
      await context.run('publish', () => publisher.publish({ request, actionId: admitted.actionId, settledAt }));
    },
  },
});

interface AdmittedRequest {
  request: OperationRequest;
  admitted: Admitted;
}

interface Operations {
  request(context: Context, request: OperationRequest): Promise<Decision>;
  carryOut(context: Context, admitted: AdmittedRequest): Promise<void>;
}

createServer(createEndpointHandler({ services: [operations] })).listen(settings.port, '127.0.0.1');
