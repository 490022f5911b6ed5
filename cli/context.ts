/** What a command gets of the world. Handed in, so that tests run commands in their own process. */
import type { Attention } from './terminal.js';

export interface Output {
  write(text: string): void;
  /** A person may be reading. */
  readonly isTTY: boolean;
  /** Characters a line, when it is a terminal. */
  readonly columns: number | undefined;
  readonly rows: number | undefined;
  /** While something is drawn on it; returns a function that ends it. Absent: it never changes. */
  attend?(attention: Attention): () => void;
}

/** The line that was typed, in UTF-8; undefined at the end of the input. @throws RotateError Interrupted */
export type AskHidden = (question: string) => Promise<Uint8Array | undefined>;

export interface Input {
  readonly isTTY: boolean;
  /** The next line without its end; undefined at the end of the input. @throws RotateError Interrupted */
  readLine(signal: AbortSignal): Promise<string | undefined>;
  /**
   * For questions whose answers a terminal must not show. `show` writes the questions.
   * @throws RotateError Interrupted
   */
  withHidden<T>(
    signal: AbortSignal,
    show: (text: string) => void,
    work: (ask: AskHidden) => Promise<T>,
  ): Promise<T>;
  /** All of it; undefined when it is more than `limit` bytes. @throws RotateError Interrupted */
  readAll(signal: AbortSignal, limit: number): Promise<Uint8Array | undefined>;
}

export interface Context {
  /** Data only. */
  stdout: Output;
  /** Logs, progress of commands that print data, errors and hints. */
  stderr: Output;
  readonly stdin: Input;
  env: NodeJS.ProcessEnv;
  cwd: string;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
}
