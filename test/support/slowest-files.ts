import { relative } from 'node:path';
import type { Reporter, TestModule, Vitest } from 'vitest/node';

const SHOWN = 15;
/** Of a run of fewer files everybody sees what was slow. */
const LEAST_FILES = 40;

/** Says at the end of a long run which files took longest, so that whoever makes it quicker knows where to look. */
export default class SlowestFiles implements Reporter {
  #root = '';

  onInit(vitest: Vitest): void {
    this.#root = vitest.config.root;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    if (modules.length < LEAST_FILES) return;
    const files = modules
      .map((module) => ({ path: relative(this.#root, module.moduleId), seconds: module.diagnostic().duration / 1_000 }))
      .sort((left, right) => right.seconds - left.seconds);
    const total = files.reduce((sum, { seconds }) => sum + seconds, 0);
    console.log(`\n${files.length} files took ${Math.round(total)} s in all; the slowest:`);
    for (const { path, seconds } of files.slice(0, SHOWN)) console.log(`${seconds.toFixed(1).padStart(7)} s  ${path}`);
  }
}
