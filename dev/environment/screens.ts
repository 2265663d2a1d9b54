import type { EnvironmentValues } from '../../platform/env-file.ts';
import type { Application } from './application.ts';
import type { Servers } from './servers/index.ts';

/*
 * What `npm start` prints when everything is up: with the lines before it, it fits on a screen of 24 lines of 100 columns.
 */

/** The settings by which a process reaches the servers. */
export function settingsOfServers(servers: Servers): EnvironmentValues {
  return {
    MYSQL_URL: servers.mysqlUrl,
    KAFKA_BROKERS: servers.kafkaBrokers,
    TEMPORAL_ADDRESS: servers.temporalAddress,
    TEMPORAL_UI_URL: servers.temporalUiUrl,
  };
}

/** For somebody who wants to see what it does. */
export function applicationScreen(servers: Servers, { apiUrl, internalUrl, hostApiUrl }: Application): string {
  return `
The Reserved IP service is up. Ctrl-C stops it; its data stays in .dev/data for the next start.

  API               ${apiUrl}   (described at ${apiUrl}/openapi.json)
  For operators     ${internalUrl}   (npm run admin); for hosts ${hostApiUrl}
  Temporal Web UI   ${webUi(servers)}
  Logs              .dev/logs/

Try in another terminal, in this folder:

  . .dev/env
  curl -s -H "Authorization: Bearer $API_TOKEN" $API_URL/v2/droplets
  curl -s -H "Authorization: Bearer $API_TOKEN" -H 'Content-Type: application/json' \\
       -d '{"region":"nyc3"}' $API_URL/v2/reserved_ips`;
}

/** For somebody who runs the processes. */
export function serversScreen(servers: Servers): string {
  const settings = Object.entries(settingsOfServers(servers)).filter(([name]) => name !== 'TEMPORAL_UI_URL');
  const head =
    servers.processes.length > 0
      ? 'The servers are up. Ctrl-C stops them; their data stays in .dev/data for the next start.'
      : 'The servers are up. None of them was started here, so there is nothing to stop.';
  return `
${head}

${settings.map(([name, value]) => `  export ${name}='${value}'`).join('\n')}
  Temporal Web UI: ${webUi(servers)}

In another terminal, in this folder; .dev/env has these settings, and an ADMIN_TOKEN for the API:

  . .dev/env
  npm run migrate
  npm run api       # one terminal each; EMBEDDED_WORKER=true before it runs a worker in it
  npm run worker`;
}

function webUi({ temporalUiUrl }: Servers): string {
  return temporalUiUrl || '(that of the existing server)';
}
