import { checkDependencies } from './check.ts';

/*
 * `npm run check:dependencies`: fails when a package that production installs has a known vulnerability that is high or
 * critical. That the registry cannot be asked is no reason to stop a build, and is said loudly.
 */

const found = await checkDependencies(process.env);
switch (found.kind) {
  case 'clean':
    console.log('dependencies: no high or critical advisories in what production installs');
    break;
  case 'vulnerable':
    console.error('dependencies: high or critical advisories in what production installs:');
    for (const line of found.advisories) console.error(`  ${line}`);
    process.exitCode = 1;
    break;
  case 'not asked':
    console.error('******** DEPENDENCIES WERE NOT AUDITED ********');
    console.error(`The registry's advisories could not be read: ${found.reason}`);
    console.error('Run `npm run check:dependencies` where they can be.');
}
