/** The process of git-launcher.ts: runs git for a worker, as long as that lives. */
import { runGitProcess } from '../repo/git-process.js';
import type { LauncherAnswer, LauncherRequest } from './git-launcher.js';

const running = new Map<number, AbortController>();

process.on('message', (request: LauncherRequest) => {
  if ('kill' in request) {
    running.get(request.id)?.abort();
    return;
  }
  const { id, run } = request;
  const controller = new AbortController();
  running.set(id, controller);
  void runGitProcess(run, controller.signal).then((end) => {
    running.delete(id);
    if (process.connected) process.send?.({ id, end } satisfies LauncherAnswer);
  });
});

// Gits that still run are left to themselves, as they are by a worker that dies.
process.on('disconnect', () => process.exit(0));
// They are sent to everyone at a terminal or of a service; a worker that is asked to end still needs git.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
