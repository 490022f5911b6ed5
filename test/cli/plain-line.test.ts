/** Lines that are read without the parser mean what they mean to the parser. */
import { describe, expect, test } from 'vitest';

import type { CommandSpec, Parsed } from '../../cli/command.js';
import { parsePlain } from '../../cli/plain-line.js';
import { parse } from '../../cli/program.js';
import { commands } from '../../cli/registry.js';
import { nameOf, optionsFor } from '../../cli/words.js';
import type { Context } from '../../cli/context.js';
import { RotateError } from '../../domain/failure.js';
import { noInput } from './world.js';

const silent = { isTTY: false, columns: undefined, rows: undefined, write: () => {}, attend: () => () => {} };
const context: Context = {
  stdout: silent,
  stderr: silent,
  stdin: noInput,
  env: {},
  cwd: '/',
  signal: new AbortController().signal,
};

/** The parser's answer; undefined for help, the version and what is wrong. */
async function parsed(argv: readonly string[]): Promise<Parsed | undefined> {
  try {
    return await parse(argv, commands, context);
  } catch (error) {
    if (error instanceof RotateError && error.type === 'Usage') return undefined;
    throw error;
  }
}

/** All that a command can ask. */
function content({ spec, args, options }: Parsed): unknown {
  return {
    name: spec.name,
    args,
    options: optionsFor(spec).map((option) => {
      const name = nameOf(option);
      return [name, options.flag(name), options.text(name), options.list(name)];
    }),
  };
}

/** Words that mean something to a parser, or look as if they did. */
function wordsOf(spec: CommandSpec | undefined): string[] {
  const options = optionsFor(spec).flatMap((option) => {
    const [first = ''] = option.flags.split(' ').filter((flag) => flag.startsWith('--'));
    const value = option.values?.[0] ?? 'x';
    return [
      first,
      `${first}=${value}`,
      `${first}=`,
      ...(option.values === undefined ? [] : [`${first}=no-such`]),
    ];
  });
  const values = (spec?.arguments ?? []).flatMap((argument) => argument.values?.slice(0, 1) ?? []);
  return [...options, ...values, 'a', '', '-', '--', '-y', '-V', '-h', '-yx', '--no-such', '--js', '-1', '3'];
}

/** Repeatable: a linear congruential generator (Numerical Recipes). */
function choices(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe.each(commands.map((command) => [command.name, command] as const))('rotate %s', (name, spec) => {
  test('means what the parser says, whenever it is plain', async () => {
    const below = choices(name.length * 7919);
    const words = wordsOf(spec);
    let plain = 0;
    for (let round = 0; round < 150; round += 1) {
      const tail = Array.from({ length: below(5) }, () => words[below(words.length)] ?? '');
      // Arguments may be too few and too many, but most often they are enough.
      const needed = spec.arguments.filter(({ optional }) => optional !== true && below(8) > 0);
      const argv = [...name.split(' '), ...needed.map(({ values }) => values?.[0] ?? 'a'), ...tail];
      if (below(8) === 0) argv.unshift(words[below(words.length)] ?? '');
      const ours = parsePlain(argv, commands);
      if (ours === undefined) continue;
      plain += 1;
      const theirs = await parsed(argv);
      expect({ argv, means: theirs === undefined ? undefined : content(theirs) }).toEqual({
        argv,
        means: content(ours),
      });
    }
    expect(plain).toBeGreaterThan(0);
  });
});

test('what people type most is plain', () => {
  const lines = [
    'list',
    'list --due --env prod',
    'list --env=prod --json',
    'status',
    'start db-password --detach',
    'plan a b --env prod --codec-key one --codec-key two',
    'schedule list',
    'completion bash',
  ];
  for (const line of lines)
    expect([line, parsePlain(line.split(' '), commands)?.spec.name]).toEqual([line, expect.any(String)]);
});

test.each([
  '',
  'strat',
  '--help',
  'list --help',
  'list -h',
  '--json list',
  'schedule',
  'list --',
  'list --no-color',
  'explain',
  'completion powershell',
  'list extra',
  'list --env',
  'list --json=1',
  'list --bogus',
])('`rotate %s` is for the parser', (line) =>
  expect(parsePlain(line === '' ? [] : line.split(' '), commands)).toBeUndefined(),
);
