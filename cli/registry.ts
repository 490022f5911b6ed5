/** Every command, in the order of the help. A test proves that no file of commands/ is missing here. */
import type { CommandSpec } from './command.js';
import { abortCommand } from './commands/abort.js';
import { completionCommand } from './commands/completion.js';
import { confirmCommand } from './commands/confirm.js';
import { devCommand } from './commands/dev.js';
import { doctorCommand } from './commands/doctor.js';
import { helpCommand } from './commands/help.js';
import { historyCommand } from './commands/history.js';
import { listCommand } from './commands/list.js';
import { planCommand } from './commands/plan.js';
import { retryCommand } from './commands/retry.js';
import { rollbackCommand } from './commands/rollback.js';
import { skipCommand } from './commands/skip.js';
import { startCommand } from './commands/start.js';
import { statusCommand } from './commands/status.js';
import { watchCommand } from './commands/watch.js';
import { workerCommand } from './commands/worker.js';

export const commands: readonly CommandSpec[] = [
  doctorCommand,
  listCommand,
  planCommand,
  startCommand,
  statusCommand,
  watchCommand,
  historyCommand,
  rollbackCommand,
  retryCommand,
  confirmCommand,
  skipCommand,
  abortCommand,
  workerCommand,
  devCommand,
  completionCommand,
  helpCommand,
];
