/** A person at a terminal: `rotate` in a pseudo-terminal of util-linux's script(1). */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Example } from '../../infra/fleet/example.js';
import { projectRoot } from '../../infra/fleet/lab.js';

export interface TerminalRun {
  /** Everything that was shown so far, without colours and cursor movement. */
  text(): string;
  /** Waits until `part` was shown; fails when the program ends first. */
  says(part: string, timeoutMs?: number): Promise<void>;
  type(keys: string): void;
  /** Its exit code. */
  ended: Promise<number>;
}

export const ctrlC = '\u0003';

export function startOnTerminal(example: Example, args: readonly string[]): TerminalRun {
  const quoted = [process.execPath, join(projectRoot, 'dist', 'cli', 'main.js'), ...args]
    .map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`)
    .join(' ');
  const child = spawn('script', ['--quiet', '--return', '--flush', '--command', quoted, '/dev/null'], {
    cwd: example.clone,
    env: { ...example.env, TERM: 'xterm' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let raw = '';
  let over = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    raw += text;
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      over = true;
      resolve(code ?? 137);
    });
  });
  // oxlint-disable-next-line no-control-regex
  const text = (): string => raw.replaceAll(/\u001B\[[\d;?]*[a-zA-Z]/g, '').replaceAll('\r', '');
  return {
    text,
    ended,
    type: (keys) => void child.stdin.write(keys),
    async says(part, timeoutMs = 60_000) {
      const end = Date.now() + timeoutMs;
      while (!text().includes(part)) {
        if (over || Date.now() > end) throw new Error(`it does not say ${JSON.stringify(part)}:\n${text()}`);
        await sleep(50);
      }
    },
  };
}
