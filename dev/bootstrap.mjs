// Runs a script of this project with the Node that the project depends on, after installing what is missing.
//
//     node dev/bootstrap.mjs <script.ts> [arguments…]
//
// Plain JavaScript without dependencies, because it starts under the machine's own Node, which may be an old one, and
// without node_modules.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const BIN_FOLDER = join(ROOT, 'node_modules', '.bin');
const NODE = join(BIN_FOLDER, 'node');
const REPEATED_SIGNAL_MS = 1000;
const PARENT_POLL_MS = 500;

const [script, ...scriptArguments] = process.argv.slice(2);
if (script === undefined) fail('usage: node dev/bootstrap.mjs <script.ts> [arguments…]');
installPackages();
runScript(locate(script), scriptArguments);

/** Installs the packages of the lockfile unless exactly they are there. */
function installPackages() {
  const reason = reasonToInstall();
  if (reason === undefined) return;
  console.log(`Installing the npm packages (${reason}) with \`npm ci\` …`);
  const started = Date.now();
  // Without this project's own node_modules/.bin, which npm ci removes while it runs.
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => resolve(folder) !== BIN_FOLDER);
  const result = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, PATH: path.join(delimiter) },
  });
  if (result.error !== undefined) fail(`npm could not be run: ${result.error.message}`);
  if (result.status !== 0) {
    const how = result.signal === null ? `ended with code ${result.status}` : `was ended by ${result.signal}`;
    fail(`\`npm ci\` in ${ROOT} ${how}; its messages are above. Nothing was started.`);
  }
  if (!existsSync(NODE)) {
    fail(
      `\`npm ci\` left no ${NODE}: the install script of the package "node" was not run.\n` +
        'Allow install scripts (npm config get ignore-scripts) or run: npm rebuild node --ignore-scripts=false',
    );
  }
  console.log(`Installing the npm packages: done in ${Math.round((Date.now() - started) / 1000)} s`);
}

/** Why node_modules is not what package-lock.json says; undefined when it is. */
function reasonToInstall() {
  const wanted = readPackages(join(ROOT, 'package-lock.json'));
  const installed = readPackages(join(ROOT, 'node_modules', '.package-lock.json'));
  if (wanted === undefined) fail(`there is no readable package-lock.json in ${ROOT}`);
  if (installed === undefined) return 'there is no complete node_modules';
  if (!existsSync(NODE)) return 'the package "node" is not complete';
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '') continue;
    const found = installed[path];
    // Optional packages are those of other platforms, or they failed to install, which does no harm.
    if (found === undefined && entry.optional) continue;
    if (found === undefined || found.version !== entry.version || found.integrity !== entry.integrity) {
      return `${path.replace(/^.*node_modules\//, '')} differs from package-lock.json`;
    }
  }
  return undefined;
}

function readPackages(lockfile) {
  try {
    return JSON.parse(readFileSync(lockfile, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/** Scripts are named from the current folder or from the top of the project. */
function locate(name) {
  const candidates = isAbsolute(name) ? [name] : [resolve(name), join(ROOT, name)];
  return candidates.find((candidate) => existsSync(candidate)) ?? fail(`there is no ${name} in ${ROOT}`);
}

/**
 * Runs the script in a process group of its own, so that it gets each signal from here, and once: a terminal's Ctrl-C
 * reaches all of this process's group, and npm passes it on a second time.
 */
function runScript(path, rest) {
  // kafkajs computes a negative timeout, for which Node 24 warns once in every process; nothing is wrong.
  const nodeArguments = ['--disable-warning=TimeoutNegativeWarning', path, ...rest];
  const child = spawn(NODE, nodeArguments, {
    stdio: 'inherit',
    detached: true,
    env: {
      ...process.env,
      PATH: [BIN_FOLDER, process.env.PATH ?? ''].join(delimiter),
      DEV_BOOTSTRAP_PID: String(process.pid),
    },
  });
  const lastForwarded = new Map();
  const forward = (signal) => {
    const now = Date.now();
    if (now - (lastForwarded.get(signal) ?? 0) < REPEATED_SIGNAL_MS) return;
    lastForwarded.set(signal, now);
    child.kill(signal);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, forward);
  whenNpmEnds(() => forward('SIGTERM'));
  child.on('error', (error) => fail(`${NODE} could not be run: ${error.message}`));
  child.on('exit', (code, signal) => process.exit(signal === null ? code : 128 + constants.signals[signal]));
}

/** npm passes a SIGTERM on to the shell in between only, which ends without telling this process. */
function whenNpmEnds(callback) {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    callback();
  }, PARENT_POLL_MS);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
