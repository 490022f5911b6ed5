/** What a command gets of the world. Handed in, so that tests run commands in their own process. */

export interface Output {
  write(text: string): void;
  /** A person may be reading. */
  readonly isTTY: boolean;
  /** Characters a line, when it is a terminal. */
  readonly columns: number | undefined;
  readonly rows: number | undefined;
}

export interface Input {
  readonly isTTY: boolean;
  /** The next line without its end; undefined at the end of the input. @throws RotateError Interrupted */
  readLine(signal: AbortSignal): Promise<string | undefined>;
}

export interface Context {
  /** Data only. */
  stdout: Output;
  /** Logs, progress of commands that print data, errors and hints. */
  stderr: Output;
  stdin: Input;
  env: NodeJS.ProcessEnv;
  cwd: string;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
}
