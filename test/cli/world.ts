/** Runs command lines in this process, in a world of the test's making, and keeps what they print. */
import type { Context, Input } from '../../cli/context.js';
import { run } from '../../cli/run.js';

export interface Terminal {
  columns: number;
  rows?: number;
}

export interface World {
  cwd: string;
  env?: NodeJS.ProcessEnv;
  /** Stdout, stderr and stdin are a terminal of that size. */
  terminal?: Terminal;
  /** Lines that are typed. */
  typed?: string[];
  /** What is on stdin when it is no terminal. */
  piped?: string;
  /** Ctrl-C. */
  signal?: AbortSignal;
  /** Called with all that was printed on stdout so far. */
  onStdout?: (text: string) => void;
  /** The same for stderr. */
  onStderr?: (text: string) => void;
}

export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** Of a program that nobody types anything to. */
export const noInput: Input = {
  isTTY: false,
  readLine: async () => undefined,
  withHidden: (_, __, work) => work(async () => undefined),
  readAll: async () => new Uint8Array(),
};

export async function rotate(args: readonly string[], world: World): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  const typed = [...(world.typed ?? [])];
  const { terminal } = world;
  const size = { isTTY: terminal !== undefined, columns: terminal?.columns, rows: terminal?.rows };
  const context: Context = {
    stdout: {
      ...size,
      write: (text) => {
        stdout += text;
        world.onStdout?.(stdout);
      },
    },
    stderr: {
      ...size,
      write: (text) => {
        stderr += text;
        world.onStderr?.(stderr);
      },
    },
    stdin: {
      isTTY: terminal !== undefined,
      readLine: async () => typed.shift(),
      withHidden: (_, show, work) =>
        work(async (question) => {
          show(question);
          const line = typed.shift();
          show('\n');
          return line === undefined ? undefined : new TextEncoder().encode(line);
        }),
      readAll: async () => new TextEncoder().encode(world.piped ?? ''),
    },
    env: { HOME: world.cwd, ...world.env },
    cwd: world.cwd,
    signal: world.signal ?? new AbortController().signal,
  };
  const code = await run(args, context);
  return { code, stdout, stderr };
}

/** As a person would see it: `$ rotate …`, stdout, stderr, exit code. */
export function transcript(args: readonly string[], { code, stdout, stderr }: Ended): string {
  return `$ rotate ${args.join(' ')}\n${stdout}${stderr}=> ${code}\n`;
}
