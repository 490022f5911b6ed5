/** Starts a worker with stand-ins in a process of its own; see fixtures/worker-process.ts. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import type { TestTemporal } from '../../support/temporal.js';
import { eventually } from './bench.js';
import { sharedBundle } from './bundle.js';

const pathOf = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

export interface WorkerProcess {
  /** Sends the signal and waits for the end. @returns exit code and signal */
  kill(signal: NodeJS.Signals): Promise<unknown[]>;
}

/** @param callLog an existing file, to which each call is appended as a line of JSON */
export async function startWorkerProcess(temporal: TestTemporal, callLog: string): Promise<WorkerProcess> {
  const { codePath } = await sharedBundle();
  const child = spawn(
    process.execPath,
    [
      '--import',
      pathOf('../../support/resolve-sources.mjs'),
      pathOf('../fixtures/worker-process.ts'),
      temporal.folder,
      codePath,
      callLog,
    ],
    {
      env: { ...process.env, ...temporal.env, ROTATE_LOG_LEVEL: 'error' },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const ended = once(child, 'exit');
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  await eventually('the worker is ready', () => Promise.resolve(output.includes('ready')));
  return {
    kill: async (signal) => {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return ended;
    },
  };
}
