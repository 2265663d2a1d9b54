import { rename, writeFile } from 'node:fs/promises';

/** Sets the clock that billing goes by forward or back, and back again after a while. */
export async function stepClock(clockFile: string, seconds: number, hold: () => Promise<void>): Promise<void> {
  await shift(clockFile, seconds);
  await hold();
  await shift(clockFile, 0);
}

/** In one step, because the file may be read at any moment. */
async function shift(clockFile: string, seconds: number): Promise<void> {
  await writeFile(`${clockFile}.new`, seconds < 0 ? String(seconds) : `+${seconds}`);
  await rename(`${clockFile}.new`, clockFile);
}
