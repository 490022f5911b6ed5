/**
 * `rotate __complete [--loose] -- WORD…`: what the completion scripts ask. The last word is the one at the cursor, up
 * to the cursor. Prints a candidate a line, with a tab and a description; `:files` alone asks the shell for files.
 * Only candidates that begin with the last word, unless the shell compares them itself in its user's way (`--loose`).
 */
import type { CommandSpec } from '../command.js';
import type { Context } from '../context.js';
import { exitCodes, type ExitCode } from '../exit-codes.js';
import { oneLine } from '../render/text.js';
import { readLine } from '../words.js';
import { candidates, type Candidate } from './candidates.js';
import { makeSources } from './sources.js';

/** @param argv what was typed behind `rotate __complete` */
export async function complete(
  argv: readonly string[],
  commands: readonly CommandSpec[],
  context: Context,
): Promise<ExitCode> {
  const words = argv.slice(argv.indexOf('--') + 1);
  const partial = words.at(-1) ?? '';
  try {
    const before = words.slice(0, -1).map((word) => expandHome(word, context.env));
    const line = readLine(before, commands);
    const { found, files } = await candidates(line, partial, commands, makeSources(context));
    const fitting = argv[0] === '--loose' ? found : found.filter(({ text }) => text.startsWith(partial));
    context.stdout.write(files ? ':files\n' : fitting.filter(isOneLine).map(toLine).join(''));
  } catch {
    // Where rotate.yaml is missing or broken there is nothing to offer, and a message would land in the person's line.
  }
  return exitCodes.done;
}

/** A name that commands the terminal, or looks like two, is wrong; the full reader tells it. */
function isOneLine({ text }: Candidate): boolean {
  return text !== '' && !/[\p{Cc}\p{Cf}\u2028\u2029]/u.test(text);
}

function toLine({ text, description }: Candidate): string {
  return description === undefined ? `${text}\n` : `${text}\t${oneLine(description)}\n`;
}

/** Shells hand over what was typed, before they have replaced the `~`. */
function expandHome(word: string, env: NodeJS.ProcessEnv): string {
  return word.replace(
    /^(--[a-z-]+=)?~(?=\/)/,
    (_, flag: string | undefined) => `${flag ?? ''}${env['HOME'] ?? '~'}`,
  );
}
