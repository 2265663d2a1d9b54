import { userInfo } from 'node:os';
import { InvalidArgumentError, Option } from 'commander';
import { formatTable } from '../ops/admin/table.ts';
import { runProcess } from '../platform/config/run-process.ts';
import { commandLine, print } from '../platform/text/print.ts';
import { shown } from '../platform/text/visible.ts';
import { type CodePath, codePathsNamed } from './code-paths.ts';
import { type Change, changeSettings, readHistory, readSettings } from './flags/flag-file.ts';
import type { FlagSetting } from './flags/setting.ts';
import { parseFlipConfiguration } from './settings.ts';

/*
 * `npm run flip`: who goes to the new upstream, on which code paths.
 */

interface Options {
  allow: string[];
  deny: string[];
  forget: string[];
  by: string;
  history: boolean;
}

const program = commandLine('flip')
  .description('Show and change which users go to the new upstream. The flag file is EDGE_FLAGS_FILE.')
  .argument('[paths]', 'floating_ips.assign, assign for both resource names, reserved_ips for a whole resource, or all')
  .argument('[share]', 'users in percent, or off: everybody goes to legacy, allowed users too', parseShare)
  .addOption(new Option('--allow <user...>', 'these users go to the new upstream in any case').default([]))
  .addOption(new Option('--deny <user...>', 'these users go to legacy in any case').default([]))
  .addOption(new Option('--forget <user...>', 'take these users from both lists').default([]))
  .option('--by <name>', 'name of the person who changes it', process.env.SUDO_USER || userInfo().username)
  .option('--history', 'show what was changed, when and by whom', false)
  .addHelpText(
    'after',
    '\nExamples:\n  flip assign 25\n  flip assign off\n  flip floating_ips.list --allow 17 23\n  flip --history',
  );

/** `off`, or a percentage. */
type Share = 'off' | number;

function parseShare(text: string): Share {
  if (text === 'off') return 'off';
  const percent = Number(text.replace(/%$/, ''));
  if (text !== '' && percent >= 0 && percent <= 100) return percent;
  throw new InvalidArgumentError('It must be off, or from 0 to 100.');
}

function parsePaths(text: string): CodePath[] {
  const codePaths = codePathsNamed(text);
  if (codePaths.length === 0)
    program.error(shown`error: there is no code path "${text}"; flip without arguments lists all`);
  return codePaths;
}

/** A user in one list is not in the other. What is turned off begins at nobody when it is turned on again. */
function changed(before: FlagSetting, share: Share | undefined, { allow, deny, forget }: Options): FlagSetting {
  const without = (list: string[], users: string[]) => list.filter((user) => !users.includes(user));
  const asked = [...allow, ...deny, ...forget];
  return {
    on: share === undefined ? before.on || allow.length > 0 : share !== 'off',
    percent: share === 'off' ? 0 : (share ?? before.percent),
    allow: [...without(before.allow, asked), ...allow],
    deny: [...without(before.deny, asked), ...deny],
  };
}

const stateOf = ({ on, percent }: FlagSetting) => (on ? `${Number(percent.toFixed(2))}%` : 'off');
const listed = (users: string[]) => (users.length === 0 ? null : users.join(' '));

async function show(path: string, codePaths: CodePath[]): Promise<string> {
  const settings = await readSettings(path);
  const rows = codePaths.flatMap((codePath) => {
    const setting = settings.get(codePath);
    return setting ? [[codePath, stateOf(setting), listed(setting.allow), listed(setting.deny)]] : [];
  });
  return formatTable(['code path', 'new', 'allow', 'deny'], rows);
}

function describe({ at, by, flags }: Change): string[][] {
  return Object.entries(flags).map(([codePath, { before, after }]) => {
    const lists = (['allow', 'deny'] as const).flatMap((list) =>
      before[list].join() === after[list].join() ? [] : [`${list}: ${after[list].join(' ') || 'nobody'}`],
    );
    return [at, by, codePath, [`${stateOf(before)} -> ${stateOf(after)}`, ...lists].join(', ')];
  });
}

program.action(async (paths: string | undefined, share: Share | undefined, options: Options) => {
  const { EDGE_FLAGS_FILE: path } = parseFlipConfiguration(process.env);
  const codePaths = parsePaths(paths ?? 'all');
  const asksForChange =
    share !== undefined || [options.allow, options.deny, options.forget].some((list) => list.length);
  if (options.history) {
    const rows = (await readHistory(path))
      .flatMap(describe)
      .filter(([, , codePath]) => codePaths.some((one) => one === codePath));
    print(formatTable(['at', 'by', 'code path', 'change'], rows));
    return;
  }
  if (asksForChange) {
    await changeSettings(path, { by: options.by, codePaths, change: (before) => changed(before, share, options) });
  }
  print(await show(path, codePaths));
});

runProcess(async () => {
  await program.parseAsync();
});
