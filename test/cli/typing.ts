/** Types lines into a real shell on a terminal, as a person does, and says what `rotate` was called with. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

import { program } from '../support/program.js';

export const shells = {
  bash: ['bash', '--norc', '--noprofile', '-i'],
  zsh: ['zsh', '-f', '-i'],
  fish: ['fish', '--no-config', '--private', '-i'],
} as const;
export type Shell = keyof typeof shells;

/** Why lines cannot be typed into `shell` here; undefined when they can. */
export function missingFor(shell: string): string | undefined {
  const missing = [shell, 'script'].find((name) => !onPath(name));
  return missing === undefined ? undefined : `${missing} is not on the PATH`;
}

export function onPath(name: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)));
}

/** A folder with a `rotate` in it: the real one for completion; everything else it only writes down. */
export function makeProgram(): { folder: string; calls(): string[][]; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'rotate-program-'));
  const log = join(folder, 'calls');
  writeFileSync(log, '');
  writeFileSync(
    join(folder, 'rotate'),
    `#!/bin/sh
case $1 in
  __complete | completion) exec ${program.map((word) => `'${word}'`).join(' ')} "$@" ;;
esac
for word; do printf '%s\\0' "$word"; done >> '${log}'
printf '\\n' >> '${log}'
`,
  );
  chmodSync(join(folder, 'rotate'), 0o755);
  return {
    folder,
    calls: () =>
      readFileSync(log, 'utf8')
        .split('\n')
        .slice(0, -1)
        .map((line) => line.split('\0').slice(0, -1)),
    remove: () => rmSync(folder, { recursive: true }),
  };
}

/**
 * The words that each call of `rotate` got.
 * @param lines as they are typed, with tabs; each is followed by Enter
 */
export function type(shell: Shell, cwd: string, lines: readonly string[]): string[][] {
  const made = makeProgram();
  const home = join(made.folder, 'home');
  mkdirSync(home);
  const [name, ...args] = shells[shell];
  spawnSync('script', ['--quiet', '--command', [name, ...args].join(' '), '/dev/null'], {
    cwd,
    input: [...lines, 'exit', ''].join('\n'),
    env: {
      HOME: home,
      PATH: `${made.folder}${delimiter}${process.env['PATH'] ?? ''}`,
      TERM: 'dumb',
      LANG: 'C.UTF-8',
    },
    timeout: 110_000,
  });
  const calls = made.calls();
  made.remove();
  return calls;
}
