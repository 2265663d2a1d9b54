import { join } from 'node:path';
import { EnvironmentError, messageOf } from '../dev/environment/errors.ts';
import { DEV_FOLDER, PROJECT_FOLDER } from '../dev/environment/paths.ts';
import { ProcessSupervisor } from '../dev/environment/processes.ts';
import { fetchDebianMysql } from '../dev/environment/servers/debian-mysql.ts';
import { runInControl, runScript } from '../dev/testbed/control.ts';
import { obstacle } from '../dev/testbed/tools.ts';
import { pythonObstacle } from './examples/python.ts';
import { fetchFaultTools } from './faults/tools.ts';
import { fetchClientPackages } from './sdk/install-client.ts';
import { fetchRepositoryFiles } from './security/repository-files.ts';
import { browserObstacle } from './webui/browser.ts';

/*
 * `npm test`: runs all tests in a network namespace of their own, with the servers that they need, so that hosts in
 * namespaces of the test bed can reach the API. Where namespaces are not to be had it runs the tests as they are, and
 * those that need the test bed are reported as skipped. So are those of the Web UI where there is no browser, those of the
 * example in Python where there is no Python, and those on MySQL itself where Debian's packages cannot be had.
 */

const VITEST = join(PROJECT_FOLDER, 'node_modules/vitest/vitest.mjs');
const report = (line: string) => console.log(`environment: ${line}`);

try {
  const withoutBrowser = await browserObstacle(report);
  if (withoutBrowser !== null) {
    console.log(`The Web UI cannot be tested here (${withoutBrowser}); its tests are skipped.`);
  }
  // This and the next four before the namespace, from where nothing can be downloaded. What is missing is named by the tests that need it.
  const supervisor = new ProcessSupervisor({ folder: join(DEV_FOLDER, 'fetch') });
  await fetchFaultTools({ supervisor, environment: process.env, report }).catch((error) => report(messageOf(error)));
  await fetchRepositoryFiles({ supervisor, environment: process.env, report }).catch((error) =>
    report(messageOf(error)),
  );
  await fetchDebianMysql({ supervisor, environment: process.env, report }).catch((error) =>
    console.log(`MySQL itself cannot be had here (${messageOf(error)}); the tests on it are skipped.`),
  );
  await fetchClientPackages().catch((error) => report(messageOf(error)));
  const withoutPython = await pythonObstacle({ supervisor, environment: process.env, report });
  if (withoutPython !== null) {
    console.log(`The example in Python cannot be tested here (${withoutPython}); its tests are skipped.`);
  }
  const problem = await obstacle(report);
  const vitestArguments = ['run', ...process.argv.slice(2)];
  if (problem === null) {
    process.exitCode = await runInControl(VITEST, vitestArguments, report);
  } else {
    console.log(`The test bed cannot be made here (${problem}); the tests that need it are skipped.`);
    process.exitCode = await runScript(VITEST, vitestArguments);
  }
} catch (error) {
  console.error(error instanceof EnvironmentError ? error.message : `The tests could not be run: ${messageOf(error)}`);
  process.exitCode = 1;
}
