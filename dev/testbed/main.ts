import { setTimeout as sleep } from 'node:timers/promises';
import { print } from '../../platform/text/print.ts';
import { visible } from '../../platform/text/visible.ts';
import { type BedEnvironment, startBedEnvironment } from './bed-environment.ts';
import { runAsTestbed } from './run-as-testbed.ts';

const FOREVER = 2 ** 31 - 1;

/*
 * `npm run testbed`: the whole control plane with hosts, droplets and a client in network namespaces, until Ctrl-C.
 */
await runAsTestbed(import.meta.url, async (control, signal) => {
  const report = (line: string) => print(`  ${visible(line)}`);
  const environment = await startBedEnvironment({
    control,
    report,
    folder: 'testbed',
    droplets: { dropletsPerHost: 2 },
  });
  try {
    print(whatNext(environment));
    await sleep(FOREVER, undefined, { signal }).catch(() => undefined);
    print('Removing the test bed …');
  } finally {
    await environment.close();
  }
});

function whatNext({ bed, population }: BedEnvironment): string {
  const droplets = population.droplets.map(({ id, name, anchor }) => `    ${id}  ${name}  anchor ${anchor}`);
  const hosts = bed.hosts.map(({ namespace }) => `    ${namespace.name}`);
  return `
The test bed is up. Region ${population.region}; droplets, which answer HTTP with their names:

${droplets.join('\n')}

  Namespaces:
    ${bed.client.name}   the client
    ${bed.router.name}   the router
${hosts.join('\n')}

In another terminal, as root:

  export API_URL=${population.bedApiUrl} API_TOKEN=${population.account.token}
  as_client() { ip netns exec ${bed.client.name} "$@"; }
  api() { as_client curl -sS -H "Authorization: Bearer $API_TOKEN" -H 'Content-Type: application/json' "$@"; }

  api "$API_URL/v2/reserved_ips" -d '{"region":"${population.region}"}'; echo
  IP=…        # what it answered
  api "$API_URL/v2/reserved_ips/$IP/actions" -d '{"type":"assign","droplet_id":${population.droplets[0]?.id}}'; echo
  as_client curl "http://$IP/"
  ip netns exec ${bed.hosts[0]?.namespace.name} nft list table inet reserved_ip

Ctrl-C removes everything.
`;
}
