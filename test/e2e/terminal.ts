/** A person at a terminal: `rotate` in a pseudo-terminal, and what it says. */

import type { Example } from '../../infra/fleet/example.js';
import { programFile } from '../../infra/fleet/rotate.js';
import { startOnTerminal as startProgram } from '../support/pseudo-terminal.js';

export { ctrlC } from '../support/pseudo-terminal.js';

export interface TerminalRun {
  /** Everything that was shown so far, without colours and cursor movement. */
  text(): string;
  /** Waits until `part` was shown; fails when the program ends first. */
  says(part: string): Promise<void>;
  type(keys: string): void;
  /** Its exit code. */
  ended: Promise<number>;
}

export function startOnTerminal(example: Example, args: readonly string[]): TerminalRun {
  const program = [process.execPath, programFile, ...args];
  const terminal = startProgram(program, { columns: 80, rows: 24 }, { cwd: example.clone, env: example.env });
  const text = (): string =>
    terminal
      .raw()
      // oxlint-disable-next-line no-control-regex
      .replaceAll(/\u001B\[[\d;?]*[a-zA-Z]/g, '')
      .replaceAll('\r', '');
  return {
    text,
    ended: terminal.ended,
    type: (keys) => terminal.type(keys),
    says: (part) => terminal.until(() => text().includes(part)),
  };
}
