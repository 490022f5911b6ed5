/** Every command, in the order of the help. A test proves that no file of commands/ is missing here. */
import type { CommandSpec } from './command.js';
import { abortCommand } from './commands/abort.js';
import { completionCommand } from './commands/completion.js';
import { confirmCommand } from './commands/confirm.js';
import { devCommand } from './commands/dev.js';
import { doctorCommand } from './commands/doctor.js';
import { explainCommand } from './commands/explain.js';
import { helpCommand } from './commands/help.js';
import { historyCommand } from './commands/history.js';
import { initCommand } from './commands/init.js';
import { listCommand } from './commands/list.js';
import { planCommand } from './commands/plan.js';
import { retryCommand } from './commands/retry.js';
import { rollbackCommand } from './commands/rollback.js';
import { notifyTestCommand } from './commands/notify-test.js';
import { scheduleApplyCommand } from './commands/schedule-apply.js';
import { scheduleDeleteCommand } from './commands/schedule-delete.js';
import { scheduleListCommand } from './commands/schedule-list.js';
import { schedulePauseCommand } from './commands/schedule-pause.js';
import { scheduleResumeCommand } from './commands/schedule-resume.js';
import { scheduleTriggerCommand } from './commands/schedule-trigger.js';
import { skipCommand } from './commands/skip.js';
import { startCommand } from './commands/start.js';
import { statusCommand } from './commands/status.js';
import { watchCommand } from './commands/watch.js';
import { workerCommand } from './commands/worker.js';

export const commands: readonly CommandSpec[] = [
  initCommand,
  doctorCommand,
  listCommand,
  explainCommand,
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
  scheduleApplyCommand,
  scheduleListCommand,
  schedulePauseCommand,
  scheduleResumeCommand,
  scheduleTriggerCommand,
  scheduleDeleteCommand,
  notifyTestCommand,
  workerCommand,
  devCommand,
  completionCommand,
  helpCommand,
];
