/** A person at a real pseudo-terminal, of util-linux's script(1), whose size can be changed. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ScreenSize {
  columns: number;
  rows: number;
}

export interface PseudoTerminal {
  /** All that was written so far. */
  raw(): string;
  /** Waits until `test` holds of what was written. @throws Error when the program ends first */
  until(test: (raw: string) => boolean): Promise<void>;
  type(keys: string): void;
  /** The program is told by SIGWINCH. */
  resize(size: ScreenSize): void;
  /** Of the program, or of the shell that it replaced. */
  pid(): number;
  /** Its exit code, as a shell has it. */
  ended: Promise<number>;
}

export const ctrlC = '\u0003';

/** @param command words of a program that is found */
export function startOnTerminal(
  command: readonly string[],
  size: ScreenSize,
  options: { cwd: string; env: NodeJS.ProcessEnv },
): PseudoTerminal {
  const folder = mkdtempSync(join(tmpdir(), 'rotate-terminal-'));
  const [ttyFile, pidFile] = [join(folder, 'tty'), join(folder, 'pid')];
  const quoted = command.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(' ');
  const script = `stty cols ${size.columns} rows ${size.rows}; tty > ${ttyFile}; echo $$ > ${pidFile}; exec ${quoted}`;
  const child = spawn('script', ['--quiet', '--return', '--flush', '--command', script, '/dev/null'], {
    cwd: options.cwd,
    env: { ...options.env, SHELL: '/bin/sh', TERM: 'xterm' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let raw = '';
  let over = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    raw += text;
  });
  const ended = once(child, 'close').then(([code]) => {
    over = true;
    rmSync(folder, { recursive: true });
    return Number(code);
  });
  const read = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8').trim() : '');
  return {
    raw: () => raw,
    until: async (test) => {
      while (!test(raw)) {
        if (over) throw new Error(`it has ended, having written ${JSON.stringify(raw)}`);
        await sleep(20);
      }
    },
    type: (keys) => void child.stdin.write(keys),
    resize: ({ columns, rows }) => {
      execFileSync('stty', ['-F', read(ttyFile), 'cols', String(columns), 'rows', String(rows)]);
    },
    pid: () => Number(read(pidFile)),
    ended,
  };
}
