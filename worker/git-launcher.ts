/**
 * Starts git by a small process of its own. To start a program the kernel copies the tables of all memory of who
 * starts it, while that stands still: 6 to 10 ms in a worker of 230 MB, 40 ms in one of 600 MB, and 1.5 ms in the
 * launcher. A rotation starts git some eighty times.
 *
 * It is given what git is given (arguments, a few variables, ciphertext), never a secret.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { runGitProcess, type GitEnd, type GitProcess, type RunGitProcess } from '../repo/git-process.js';

/** To the launcher: run one, or kill it. */
export type LauncherRequest = { id: number; run: GitProcess } | { id: number; kill: true };
/** From it. */
export interface LauncherAnswer {
  id: number;
  end: GitEnd;
}

export interface GitLauncher {
  run: RunGitProcess;
  /** What runs is left to itself, as when the worker dies. */
  close(): void;
}

/** Beside the compiled sources, also for the program in dist/bin. */
const builtProgram = fileURLToPath(new URL('../worker/git-launcher-process.js', import.meta.url));

/** The launcher of the program as it is built; from sources git is started by this process itself. */
export function gitLauncher(): GitLauncher {
  return existsSync(builtProgram) ? makeGitLauncher(builtProgram) : { run: runGitProcess, close: () => {} };
}

/**
 * The launcher is started when it is first needed, and again when it has died.
 * @param execArgv of Node, for a program that needs more than Node to run
 */
export function makeGitLauncher(program: string, execArgv: readonly string[] = []): GitLauncher {
  let child: ChildProcess | undefined;
  let lastId = 0;

  /** Runs that go through a launcher, until its end. */
  const pending = new Map<number, { by: ChildProcess; resolve: (end: GitEnd) => void }>();

  function start(): ChildProcess {
    const launcher = fork(program, [], {
      serialization: 'advanced',
      // It needs nothing of the worker's: each git has its own.
      env: {},
      execArgv: [...execArgv],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const lost = (why: Pick<GitEnd, 'killedBy' | 'notStarted'>): void => {
      if (child === launcher) child = undefined;
      for (const [id, { by, resolve }] of pending) {
        if (by !== launcher) continue;
        pending.delete(id);
        resolve({ code: null, timedOut: false, stdout: Buffer.alloc(0), stderr: '', tooMuch: false, ...why });
      }
    };
    launcher.on('message', ({ id, end }: LauncherAnswer) => {
      pending.get(id)?.resolve(end);
      pending.delete(id);
      holdOpen(launcher);
    });
    launcher.on('error', ({ message }) => lost({ killedBy: null, notStarted: message }));
    launcher.on('exit', (_, signal) => lost({ killedBy: signal ?? 'SIGKILL' }));
    launcher.unref();
    child = launcher;
    return launcher;
  }

  /** The worker may end when nothing runs. */
  function holdOpen(launcher: ChildProcess): void {
    if (pending.size > 0) launcher.channel?.ref();
    else launcher.channel?.unref();
  }

  return {
    run(run, signal) {
      const by = child?.connected === true ? child : start();
      const id = (lastId += 1);
      const kill = (): void => send(by, { id, kill: true });
      return new Promise<GitEnd>((resolve) => {
        pending.set(id, { by, resolve });
        holdOpen(by);
        send(by, { id, run });
        if (signal?.aborted === true) kill();
        signal?.addEventListener('abort', kill, { once: true });
      }).finally(() => signal?.removeEventListener('abort', kill));
    },
    close() {
      if (child?.connected === true) child.disconnect();
      child = undefined;
    },
  };
}

/** One that could not be started, or has ended, says so by itself. */
function send(launcher: ChildProcess, request: LauncherRequest): void {
  if (launcher.connected) launcher.send(request);
}
