import { runProcess } from '../../platform/config/run-process.ts';
import { commandLine } from '../../platform/text/print.ts';
import { addAccountCommands } from './accounts.ts';
import { addAuditLogCommands } from './audit-log.ts';
import { openAdminContext } from './context.ts';
import { addHostCommands } from './hosts.ts';
import { addOperatorCommands } from './operators.ts';
import { addPoolCommands } from './pools.ts';

const program = commandLine('admin')
  .description(
    'Regions, pools, hosts, accounts and tokens. Reads INTERNAL_URL, or else API_URL, and ADMIN_TOKEN, an operator token or the admin token, from the environment, or from .dev/env.',
  )
  .option('--json', "the API's answer as it is", false);

const open = () => openAdminContext({ json: program.opts<{ json: boolean }>().json });
addPoolCommands(program, open);
addHostCommands(program, open);
addAccountCommands(program, open);
addOperatorCommands(program, open);
addAuditLogCommands(program, open);

runProcess(async () => {
  await program.parseAsync();
});
