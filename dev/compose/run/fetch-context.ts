import type { ProcessSupervisor } from '../../environment/processes.ts';
import { cacheFolder } from '../../environment/servers/cache.ts';
import { makeMaven } from '../../environment/servers/maven.ts';
import type { FetchContext, Report } from '../../environment/servers/options.ts';

/** What getting things onto this machine needs. */
export function fetchContext(supervisor: ProcessSupervisor, report: Report): FetchContext {
  const environment = process.env;
  return {
    ...{ supervisor, environment, report },
    cacheFolder: cacheFolder(environment),
    maven: makeMaven({ supervisor, environment }),
  };
}
