/** `rotate init` from the first look around to the file. */
import { existsSync, realpathSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';

import { loadRotateYaml, parseRotateYaml } from '../../config/rotate-yaml.js';
import { rotateFileName } from '../../config/find-file.js';
import { RotateError } from '../../domain/failure.js';
import { discover } from '../../repo/discover.js';
import type { Invocation } from '../command.js';
import { exitCodes, type ExitCode } from '../exit-codes.js';
import { diffText } from '../render/diff.js';
import { printable } from '../render/text.js';
import { findWorkspace } from '../workspace.js';
import { fileText } from './file-text.js';
import { fromFlags, noPerson, settingsGiven } from './from-flags.js';
import { fromPerson } from './from-person.js';
import { interview, type Interviewed } from './interview.js';
import { nextSteps } from './next-steps.js';
import { firstOf } from './question.js';
import { save } from './save.js';
import { lookAround } from './surroundings.js';

export async function init(invocation: Invocation): Promise<ExitCode> {
  const { context, options, screen } = invocation;
  const print = options.flag('print');
  const target = await findTarget(invocation);
  if (!print) requireReplaceable(invocation, target);
  const asking = context.stdin.isTTY && context.stderr.isTTY;
  if (asking) screen.note('Enter takes what stands in brackets; until the end nothing is written');
  const flags = fromFlags(options);
  const source = firstOf(flags, asking ? fromPerson(context, screen) : noPerson);
  const surroundings = await lookAround(target.root, context.env['HOME'], target.branch);
  const interviewed = await interview(source, surroundings, settingsGiven(options));
  flags.requireUsed();
  const text = fileText(interviewed.draft, interviewed.keyOrigins);
  // What it says must be what was answered; anything else is a mistake of ours.
  parseRotateYaml(text, target.name);
  const written = !print && (await write(invocation, target, text, asking));
  if (written === undefined) return exitCodes.refused;
  if (screen.json) screen.object({ file: target.file, written, text });
  else if (print) screen.data(text);
  if (!print) tell(invocation, interviewed, target, written);
  return exitCodes.done;
}

interface Target {
  /** Absolute. */
  file: string;
  /** As messages name it. */
  name: string;
  root: string;
  branch?: string;
  exists: boolean;
}

/** The file that --config names, the one that is found from here upward, or a new one at the root of the repo. */
async function findTarget({ context, options }: Invocation): Promise<Target> {
  const named = options.text('config');
  const asked = named === undefined ? undefined : resolve(context.cwd, named);
  const found = asked ?? findWorkspace(context, options)?.file;
  const folder = found === undefined ? context.cwd : dirname(found);
  if (!existsSync(folder))
    throw new RotateError('Usage', `there is no folder ${folder}`, { hint: 'make it, or correct --config' });
  const { root, branch } = await discover(folder);
  const file = found ?? join(root, rotateFileName);
  const near = relative(context.cwd, file);
  const exists = existsSync(file);
  return {
    file: exists ? realpathSync(file) : file,
    name: near.startsWith('..') ? file : near,
    root,
    ...(branch === undefined ? {} : { branch }),
    exists,
  };
}

function requireReplaceable({ context, options }: Invocation, { name, exists }: Target): void {
  if (!exists) return;
  if (!options.flag('force'))
    throw new RotateError('Usage', `${name} is there already`, {
      hint: 'look at it with `rotate list`; `--print` prints a new one, and `--force` replaces it once it has shown the difference',
    });
  if (!options.flag('yes') && !(context.stdin.isTTY && context.stderr.isTTY))
    throw new RotateError('Usage', 'without a terminal to ask on, --force needs --yes', {
      hint: 'look at the difference with --print, then add --yes',
    });
}

/** Whether it was written; undefined when the person has said no. */
async function write(
  { context, options, screen }: Invocation,
  { file, name, exists }: Target,
  text: string,
  asking: boolean,
): Promise<boolean | undefined> {
  if (exists) {
    const before = await readFile(file, 'utf8');
    if (before === text) return false;
    context.stderr.write(diffText(before, text, screen.paintErr));
    if (asking && !options.flag('yes')) {
      context.stderr.write(screen.paintErr('bold', `Replace ${name}? [y/N] `));
      const answer = await context.stdin.readLine(context.signal);
      if (!/^\s*y(es)?\s*$/i.test(answer ?? '')) {
        screen.note('nothing was changed');
        return undefined;
      }
    }
  }
  await save(file, text, context.signal);
  await loadRotateYaml(file, name);
  return true;
}

function tell(
  { context, screen }: Invocation,
  interviewed: Interviewed,
  target: Target,
  written: boolean,
): void {
  screen.note(written ? `wrote ${target.name}` : `${target.name} says so already`);
  for (const line of nextSteps(interviewed, target.name)) context.stderr.write(`${printable(line)}\n`);
}
