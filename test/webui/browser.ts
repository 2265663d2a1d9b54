import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Browser, chromium } from 'playwright-core';
import { messageOf } from '../../dev/environment/errors.ts';
import { installMissing } from '../../dev/environment/packages.ts';
import type { Report } from '../../dev/environment/servers/options.ts';
import { succeeds } from '../../dev/kit/until.ts';

/** Where Debian's package puts it. */
const EXECUTABLE = '/usr/bin/chromium';

/** Root has no sandbox; nothing is to be fetched from anywhere but the Web UI. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Whether the browser runs on this machine. */
export async function hasBrowser(): Promise<boolean> {
  return succeeds(promisify(execFile)(EXECUTABLE, ['--version']));
}

/** Why the Web UI cannot be tested here; null when it can. Installs the browser when it is missing. */
export async function browserObstacle(
  report: Report,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string | null> {
  if (environment.TEMPORAL_ADDRESS && !environment.TEMPORAL_UI_URL) {
    return 'TEMPORAL_ADDRESS is set and TEMPORAL_UI_URL is not';
  }
  if (await hasBrowser()) return null;
  try {
    await installMissing({ purpose: 'The Web UI test', packages: { chromium: 'chromium' }, report });
  } catch (error) {
    return messageOf(error);
  }
  return (await hasBrowser()) ? null : `${EXECUTABLE} does not run`;
}

/** Starts the browser without a window. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: EXECUTABLE, args: FLAGS });
}
