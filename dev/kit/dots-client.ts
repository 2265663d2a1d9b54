import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/*
 * `@digitalocean/dots` as it is on npm. It ships its sources instead of types, and those do not pass this project's
 * compiler settings, so what the tests use of it is described here. Keys are in camel case, as it has them.
 */

interface List {
  meta: { total: number };
  links: { pages?: { additionalData: Record<string, string> } };
}

export interface DotsAction {
  id: number;
  status: string;
  type: string;
  completedAt?: Date;
  resourceId: number;
  resourceType: string;
  regionSlug: string;
}

export interface DotsDroplet {
  id: number;
  name: string;
  networks: { v4: { ipAddress: string; type: string }[]; v6: { ipAddress: string; type: string }[] };
}

/** An address. Where the API says that there is no droplet, this client has an empty one. */
export interface DotsAddress {
  ip: string;
  droplet: Partial<DotsDroplet>;
  locked: boolean;
  region: { slug: string };
  projectId?: string;
}

/** An IPv6 address, of which this client is told less. */
export interface DotsIpv6Address {
  ip: string;
  droplet?: Partial<DotsDroplet>;
  regionSlug: string;
  reservedAt: Date;
}

interface Actions {
  get(): Promise<List & { actions: DotsAction[] }>;
  byAction_id(id: number): { get(): Promise<{ action: DotsAction }> };
  post(body: { type: string; dropletId?: number; name?: string }): Promise<{ action: DotsAction }>;
}

interface Addresses<One extends string, Many extends string> {
  get(): Promise<List & Record<Many, DotsAddress[]>>;
  post(body: {
    region?: string;
    dropletId?: number;
  }): Promise<Record<One, DotsAddress> & { links: { actions?: { id: number; rel: string; href: string }[] } }>;
}

interface Address<One extends string> {
  get(): Promise<Record<One, DotsAddress>>;
  delete(): Promise<void>;
  actions: Actions;
}

/** The client. */
export interface Dots {
  v2: {
    account: { get(): Promise<{ account: { status: string; floatingIpLimit: number } }> };
    actions: {
      get(options?: {
        queryParameters: { page?: number; perPage?: number };
      }): Promise<List & { actions: DotsAction[] }>;
      byAction_id(id: number): { get(): Promise<{ action: DotsAction }> };
    };
    droplets: {
      get(): Promise<List & { droplets: DotsDroplet[] }>;
      post(body: { name: string; region: string; size: string; image: string }): Promise<{ droplet: DotsDroplet }>;
      byDroplet_id(id: number): { get(): Promise<{ droplet: DotsDroplet }>; delete(): Promise<void>; actions: Actions };
    };
    reserved_ips: Addresses<'reservedIp', 'reservedIps'> & { byReserved_ip(ip: string): Address<'reservedIp'> };
    floating_ips: Addresses<'floatingIp', 'floatingIps'> & { byFloating_ip(ip: string): Address<'floatingIp'> };
    reserved_ipv6: {
      get(): Promise<List & { reservedIpv6s: DotsIpv6Address[] }>;
      post(body: { regionSlug: string }): Promise<{ reservedIpv6: DotsIpv6Address }>;
      byReserved_ipv6(ip: string): {
        get(): Promise<{ reservedIpv6: DotsIpv6Address }>;
        delete(): Promise<void>;
        actions: Pick<Actions, 'post'>;
      };
    };
  };
}

interface DotsPackage {
  DigitalOceanApiKeyAuthenticationProvider: new (token: string) => object;
  createDigitalOceanClient(adapter: object): Dots;
}

interface FetchPackage {
  FetchRequestAdapter: new (authentication: object) => { baseUrl: string };
}

const PACKAGE = '@digitalocean/dots';
const { DigitalOceanApiKeyAuthenticationProvider, createDigitalOceanClient }: DotsPackage = await import(PACKAGE);
// The adapter comes with the client, and is found from there.
const { resolve } = createRequire(createRequire(import.meta.url).resolve(PACKAGE));
const FETCH_PACKAGE = pathToFileURL(resolve('@microsoft/kiota-http-fetchlibrary')).href;
const { FetchRequestAdapter }: FetchPackage = await import(FETCH_PACKAGE);

/** Makes a client that speaks to this base URL, in the way that its documentation shows. */
export function createDots(baseUrl: string, token: string): Dots {
  const adapter = new FetchRequestAdapter(new DigitalOceanApiKeyAuthenticationProvider(token));
  adapter.baseUrl = baseUrl;
  return createDigitalOceanClient(adapter);
}
