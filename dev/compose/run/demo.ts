import { writeFile } from 'node:fs/promises';
import { Kafka, logLevel } from 'kafkajs';
import { z } from 'zod';
import { BILLING_TOPIC } from '../../../domain/names.ts';
import { type ApiClient, dataOf, openApiClient } from '../../../platform/api-client/client.ts';
import { readEnvironmentFile } from '../../../platform/env-file.ts';
import { openTemporalClient } from '../../../platform/temporal/connection.ts';
import { EnvironmentError } from '../../environment/errors.ts';
import { until } from '../../kit/until.ts';
import type { ComposeProject } from './compose-project.ts';

/*
 * The demo that Compose serves, as those outside see it: at the ports that it publishes on this machine by default.
 */

/** Where customers are served. */
export const API_URL = 'http://127.0.0.1:8080';
const WEB_UI_URL = 'http://127.0.0.1:8233';
const TEMPORAL = { address: '127.0.0.1:7233', namespace: 'default', codec: null };
const KAFKA_BROKERS = ['127.0.0.1:19092'];
const COMPLETION_TIMEOUT_MS = 60_000;

/** How often the API is asked while it says that it is not available, as it does while a service starts again. */
const ATTEMPTS = 5;

const namespacesAnswer = z.object({
  namespaces: z.array(z.object({ namespaceInfo: z.object({ name: z.string() }) })),
});

/** What each server has stored of an address. */
export interface Stored {
  readonly dropletId: number | null;
  readonly addresses: readonly string[];
  readonly actions: readonly { readonly id: number; readonly status: string }[];
  /** Workflows that Temporal lists, for all addresses. */
  readonly workflows: number;
  /** Messages of the billing topic, for all addresses. */
  readonly billingEvents: number;
}

/** The token of the demo's first account, read as the README says. */
export async function readDemoToken(project: ComposeProject, file: string): Promise<string> {
  await writeFile(file, await project.execute('host-hv-1', 'cat', '/tokens/env'), { mode: 0o600 });
  const { API_TOKEN } = await readEnvironmentFile(file);
  if (API_TOKEN === undefined) throw new EnvironmentError('The demo data has left no token in /tokens/env.');
  return API_TOKEN;
}

/** Reserves an address for a droplet, and answers it when the host has it. */
export async function reserveForDroplet(token: string): Promise<string> {
  const customer = customerOf(token);
  const { droplets } = await dataOf(customer.GET('/v2/droplets'));
  const last = droplets.at(-1);
  if (last === undefined) throw new EnvironmentError('The demo data has no Droplet.');
  const { ip } = (await dataOf(customer.POST('/v2/reserved_ips', { body: { droplet_id: last.id } }))).reserved_ip;
  const isAssigned = async () => {
    const { dropletId, actions } = await readAddress(token, ip);
    return dropletId !== null && actions.every(({ status }) => status === 'completed');
  };
  await until(`${ip} is assigned`, isAssigned, COMPLETION_TIMEOUT_MS);
  return ip;
}

/** What the servers have stored: MySQL of one address, Temporal and Kafka of all. */
export async function readStored(token: string, address: string): Promise<Stored> {
  const { reserved_ips: reserved } = await dataOf(customerOf(token).GET('/v2/reserved_ips'));
  const addresses = reserved.map(({ ip }) => ip);
  const [stored, workflows, billingEvents] = await Promise.all([
    readAddress(token, address),
    countWorkflows(),
    countBillingEvents(),
  ]);
  return { ...stored, addresses, workflows, billingEvents };
}

/**
 * Asks the Web UI for what it shows first.
 *
 * @throws {EnvironmentError} when it serves no page, or does not know the namespace.
 */
export async function assertWebUi(): Promise<void> {
  const page = await fetch(WEB_UI_URL);
  const namespaces = await fetch(`${WEB_UI_URL}/api/v1/namespaces`);
  if (!page.ok || !namespaces.ok)
    throw new EnvironmentError(`The Web UI answers ${page.status} and ${namespaces.status}.`);
  const names = namespacesAnswer
    .parse(await namespaces.json())
    .namespaces.map(({ namespaceInfo }) => namespaceInfo.name);
  if (!names.includes(TEMPORAL.namespace)) throw new EnvironmentError(`The Web UI knows only ${names.join(', ')}.`);
}

async function readAddress(token: string, ip: string): Promise<Pick<Stored, 'dropletId' | 'actions'>> {
  const customer = customerOf(token);
  const params = { path: { ip } };
  const { reserved_ip } = await dataOf(customer.GET('/v2/reserved_ips/{ip}', { params }));
  const { actions } = await dataOf(customer.GET('/v2/reserved_ips/{ip}/actions', { params }));
  return {
    dropletId: reserved_ip.droplet?.id ?? null,
    actions: actions.map(({ id, status }) => ({ id, status })),
  };
}

function customerOf(token: string): ApiClient {
  return openApiClient({ baseUrl: API_URL, token, attempts: ATTEMPTS });
}

async function countWorkflows(): Promise<number> {
  const client = openTemporalClient(TEMPORAL);
  try {
    return (await client.workflow.count()).count;
  } finally {
    await client.connection.close();
  }
}

async function countBillingEvents(): Promise<number> {
  const admin = new Kafka({ clientId: 'compose', brokers: KAFKA_BROKERS, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    const offsets = await admin.fetchTopicOffsets(BILLING_TOPIC);
    return offsets.reduce((sum, { high }) => sum + Number(high), 0);
  } finally {
    await admin.disconnect();
  }
}
