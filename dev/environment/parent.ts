const POLL_MS = 1000;

/**
 * Calls back once when `dev/bootstrap.mjs`, which ran this script, has ended without being able to say so (SIGKILL),
 * because then no signal will come any more. Does nothing for a script that was run in another way, and keeps no
 * process alive.
 */
export function whenParentEnds(callback: () => void, environment: NodeJS.ProcessEnv = process.env): void {
  const parent = process.ppid;
  if (environment.DEV_BOOTSTRAP_PID !== String(parent)) return;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    callback();
  }, POLL_MS);
  timer.unref();
}
