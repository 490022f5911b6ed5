/** What is typed wrongly, and help. */
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';

import { Option } from 'commander';
import { describe, expect, test } from 'vitest';

import type { Parsed } from '../../cli/command.js';
import type { Context } from '../../cli/context.js';
import { exitCodeOfState, exitCodes, failureExitCodes } from '../../cli/exit-codes.js';
import { readFlags } from '../../cli/flags.js';
import { globalOptions } from '../../cli/global-options.js';
import { overviewExamples } from '../../cli/man/overview-page.js';
import { parse } from '../../cli/program.js';
import { commands } from '../../cli/registry.js';
import { reportError } from '../../cli/report-error.js';
import { makeScreen } from '../../cli/screen.js';
import { RotateError } from '../../domain/failure.js';
import { rotationStates, stepNames } from '../../domain/steps.js';
import schema from '../../schemas/output.schema.json' with { type: 'json' };
import { groupCommands } from './group-commands.js';
import { noInput } from './world.js';
import { expectOutput } from './schema.js';
import { rotate, transcript, type World } from './world.js';

async function typed(args: string, world: Partial<World> = {}): Promise<string> {
  const words = args === '' ? [] : args.split(' ');
  return transcript(words, await rotate(words, { cwd: tmpdir(), ...world }));
}

describe('the command line', () => {
  test('suggests what was meant', async () => {
    expect(await typed('strat db-password')).toBe(`$ rotate strat db-password
rotate: error: unknown command \`strat\`
rotate: hint: did you mean \`start\`?
=> 2
`);
    expect(await typed('start db-password --detatch')).toBe(`$ rotate start db-password --detatch
rotate: error: unknown option \`--detatch\`
rotate: hint: did you mean \`--detach\`?
=> 2
`);
  });

  test('suggests the option that was meant before `=`, and a value', async () => {
    expect(await typed('list --evn=prod')).toContain('did you mean `--env`?');
    expect(await typed('start a --accept_loss')).toContain('hint: `rotate start --help` shows what there is');
    expect(await typed('skip a b --acceptloss')).toContain('did you mean `--accept-loss`?');
    expect(await typed('completion bsah')).toContain('did you mean `bash`?');
    expect(await typed('stat')).toContain('did you mean `start`?');
    expect(await typed('nothing')).toContain('hint: `rotate --help` shows what there is');
  });

  test('suggests a command to who asks for its help', async () => {
    for (const line of ['strat --help', 'help strat'])
      expect(await typed(line)).toBe(`$ rotate ${line}
rotate: error: unknown command \`strat\`
rotate: hint: did you mean \`start\`?
=> 2
`);
  });

  test('shows by `rotate help` what --help shows', async () => {
    const world = { cwd: tmpdir() };
    for (const { name } of commands)
      expect(await rotate(['help', ...name.split(' ')], world)).toEqual(
        await rotate([...name.split(' '), '--help'], world),
      );
    expect(await rotate(['help'], world)).toEqual(await rotate(['--help'], world));
  });

  test('names what is missing and what is too much', async () => {
    expect(await typed('watch')).toContain(
      'missing argument `id` of `rotate watch`\nrotate: hint: type `rotate watch <id>`\n',
    );
    expect(await typed('list prod')).toContain(
      'too many arguments for `rotate list`: it takes none, given: 1\n',
    );
    expect(await typed('history a b')).toContain(
      'too many arguments for `rotate history`: it takes 1, given: 2\n',
    );
    expect(await typed('start a --reason')).toContain('`--reason <text>` needs a value\n');
    expect(await typed('completion tcsh')).toContain(
      '`tcsh` is no shell\nrotate: hint: give bash, zsh or fish\n',
    );
    expect(await typed('init --kind jks')).toContain(
      '`jks` is no value of `--kind <kind>`\nrotate: hint: give http, manual, postgres or token\n',
    );
    expect(await typed('start a --watch --detach --yes')).toContain(
      '--watch and --detach exclude each other',
    );
  });

  test('answers with JSON where JSON was asked for, even of what it does not understand', async () => {
    const { code, stdout } = await rotate(['statsu', '--json'], { cwd: tmpdir() });
    expectOutput(stdout, 'error');
    expect(code).toBe(2);
  });

  test('shows the help on stderr, as an error, when no command is given', async () => {
    const { code, stdout, stderr } = await rotate([], { cwd: tmpdir() });
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('Usage: rotate [options] [command]');
  });

  test('prints help with examples on stdout for every command', async () => {
    for (const { name, summary, examples } of commands) {
      const { code, stdout, stderr } = await rotate([...name.split(' '), '--help'], { cwd: tmpdir() });
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toContain(`Usage: rotate ${name}`);
      expect(stdout).toContain('--json');
      expect(examples.length).toBeGreaterThan(0);
      for (const { command } of examples) expect(stdout).toContain(`$ ${command}`);
      expect(summary).toMatch(/^[a-z]/);
    }
  });

  test.each([
    ...commands.flatMap(({ name, examples }) => examples.map(({ command }) => [name, command] as const)),
    ...overviewExamples.map(({ command }) => [wordsOf(command)[0] ?? '', command] as const),
  ])('parses the example of %s: %s', async (name, command) => {
    const parsed = await parse(wordsOf(command), commands, silentContext());
    expect(parsed?.spec.name).toBe(name);
  });

  test('prints its version', async () => {
    expect(await typed('--version')).toMatch(/^\$ rotate --version\n\d+\.\d+\.\d+\n=> 0\n$/);
  });

  test('registers every command of its folder', () => {
    const files = readdirSync(new URL('../../cli/commands', import.meta.url));
    expect(files.map((file) => file.replace(/\.ts$/, '')).toSorted()).toEqual(
      commands.map(({ name }) => name.replaceAll(' ', '-')).toSorted(),
    );
  });

  test('says that it has no codec key', async () => {
    expect(await typed('status')).toMatch(
      /^\$ rotate status\nrotate: error: no codec key: .*\nrotate: hint: name the key file with --codec-key/,
    );
    expect(await typed('status', { env: { ROTATE_WORKER_CONFIG: '/nonexistent' } })).toBe(`$ rotate status
rotate: error: there is no file /nonexistent, which $ROTATE_WORKER_CONFIG names
rotate: hint: correct or unset $ROTATE_WORKER_CONFIG
=> 2
`);
  });

  test('names a codec key file that cannot be read', async () => {
    expect(await typed('status --codec-key /nonexistent.key'))
      .toBe(`$ rotate status --codec-key /nonexistent.key
rotate: error: cannot read the codec key file /nonexistent.key: there is no such file (ENOENT)
rotate: hint: check the path and its permissions
=> 2
`);
  });
});

/** The words behind `rotate` in an example, as a shell splits them. */
function wordsOf(command: string): string[] {
  const [, call = ''] = /\brotate ([^|>)]*)/.exec(command) ?? [];
  return [...call.matchAll(/'([^']*)'|\S+/g)].map(([word, inside]) => inside ?? word);
}

function silentContext(): Context {
  const none = { write: () => {}, isTTY: false, columns: undefined, rows: undefined };
  return {
    stdout: none,
    stderr: none,
    stdin: noInput,
    env: {},
    cwd: tmpdir(),
    signal: new AbortController().signal,
  };
}

describe('groups of commands', () => {
  async function run(line: string): Promise<{ printed: string; parsed: Parsed | undefined; error: unknown }> {
    let printed = '';
    const context = silentContext();
    const out = { ...context.stdout, write: (text: string) => void (printed += text) };
    try {
      const parsed = await parse(line.split(' '), groupCommands, { ...context, stdout: out, stderr: out });
      return { printed, parsed, error: undefined };
    } catch (error) {
      return { printed, parsed: undefined, error };
    }
  }

  test('are found by all their words', async () => {
    const { parsed } = await run('schedule pause a --json b');
    expect(parsed?.spec.name).toBe('schedule pause');
    expect(parsed?.args).toEqual(['a', 'b']);
    expect(parsed?.options.flag('json')).toBe(true);
    const { parsed: add } = await run('--env prod key add age --as reader --as=writer');
    expect(add?.options.list('as')).toEqual(['reader', 'writer']);
    expect(add?.options.text('env')).toBe('prod');
  });

  test('list their commands', async () => {
    const { printed } = await run('schedule --help');
    expect(printed).toMatch(/^Usage: rotate schedule \[options\] \[command\]\n\nSchedules of rotate.yaml.\n/);
    expect(printed).toMatch(
      /\nCommands:\n {2}apply \[options\] +does schedule apply\n {2}pause <names...> +does schedule pause\n/,
    );
    expect((await run('--help')).printed).toMatch(/\n {2}schedule +schedules of rotate.yaml\n {2}key +add\n/);
    expect((await run('schedule apply --help')).printed).toMatch(
      /^Usage: rotate schedule apply \[options\]\n/,
    );
  });

  test.each([
    ['schedule', 'no command was given', 'the commands are listed above'],
    ['schedul', 'unknown command `schedul`', 'did you mean `schedule`?'],
    ['schedule aply', 'unknown command `schedule aply`', 'did you mean `schedule apply`?'],
    ['schedule aply --help', 'unknown command `schedule aply`', 'did you mean `schedule apply`?'],
    [
      'schedule nothing',
      'unknown command `schedule nothing`',
      '`rotate schedule --help` shows what there is',
    ],
    ['schedule apply --prnue', 'unknown option `--prnue`', 'did you mean `--prune`?'],
    [
      'schedule apply --xyzzy',
      'unknown option `--xyzzy`',
      '`rotate schedule apply --help` shows what there is',
    ],
    [
      'schedule apply x',
      /^too many arguments for `rotate schedule apply`: it takes none, given: 1$/,
      '`rotate schedule apply --help` shows what there is',
    ],
    ['key add agge', /^`agge` is no [a-z]+$/, 'did you mean `age`?'],
    ['key add age --as raeder', /^`raeder` is no value of `--as <[a-z]+>`$/, 'did you mean `reader`?'],
  ])('say of `%s` that there is %s', async (line, message, hint) => {
    const { error } = await run(line);
    expect(error).toMatchObject({ type: 'Usage', message: expect.stringMatching(message), hint });
  });

  test('are no commands themselves', () => {
    const names = commands.map(({ name }) => name);
    expect(names.filter((name) => names.some((other) => other.startsWith(`${name} `)))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z]+( [a-z]+)*$/);
  });
});

describe('flags', () => {
  test('are read as the parser reads them', () => {
    for (const option of [...commands, ...groupCommands]
      .flatMap(({ options }) => options)
      .concat(globalOptions)) {
      const { short, long, value } = readFlags(option);
      const theirs = new Option(option.flags);
      expect([short, long, value !== undefined]).toEqual([theirs.short, theirs.long, theirs.required]);
      expect(option.values === undefined || option.completes === undefined).toBe(true);
    }
    expect(() => readFlags({ flags: '--Bad' })).toThrow(TypeError);
    expect(() => readFlags({ flags: '--maybe [value]' })).toThrow(TypeError);
  });
});

describe('errors', () => {
  function report(
    error: unknown,
    options: { debug?: boolean; columns?: number; noColor?: boolean } = {},
  ): string {
    let text = '';
    const out = {
      write: (more: string) => {
        text += more;
      },
      isTTY: options.columns !== undefined,
      columns: options.columns,
      rows: undefined,
    };
    const context = {
      stdout: out,
      stderr: out,
      stdin: noInput,
      env: options.noColor === true ? { NO_COLOR: '1' } : {},
      cwd: '/',
      signal: new AbortController().signal,
    };
    const code = reportError(
      error,
      context,
      makeScreen(context, { json: false, colour: true }),
      options.debug === true,
    );
    return `${text}=> ${code}`;
  }

  test('have no stack trace, unless it is asked for', () => {
    const error = new RotateError('HostUnreachable', 'host web-1 does not answer', {
      hint: 'is it up?',
      cause: new Error('ETIMEDOUT'),
    });
    expect(report(error)).toBe('rotate: error: host web-1 does not answer\nrotate: hint: is it up?\n=> 1');
    expect(report(error, { debug: true })).toMatch(/\n {4}at .*\ncaused by: Error: ETIMEDOUT\n {4}at /);
  });

  test('are coloured on a terminal, and not with NO_COLOR', () => {
    const error = new RotateError('Busy', 'rotation 01J runs');
    expect(report(error, { columns: 80 })).toContain('\u001B[31merror:\u001B[39m');
    expect(report(error, { columns: 80, noColor: true })).toBe('rotate: error: rotation 01J runs\n=> 1');
  });

  test('that nobody expected end with 3 and ask for a report', () => {
    expect(report(new TypeError('x is not a function'))).toBe(
      'rotate: error: something went wrong that should not: x is not a function\n' +
        'rotate: hint: run it again with --debug and report what it prints\n=> 3',
    );
  });

  test('cannot command the terminal', () => {
    expect(report(new RotateError('UnitFailed', 'app: \u001B]0;owned\u0007\u009B2J\u202Egnp'))).toBe(
      'rotate: error: app: \uFFFD]0;owned\uFFFD\uFFFD2J\uFFFDgnp\n=> 1',
    );
  });
});

describe('the published schema', () => {
  test('knows every type of failure, every state and every step', () => {
    const { failureType, rotationState, stepName } = schema.$defs;
    expect(failureType.enum.toSorted()).toEqual(
      failureExitCodes()
        .map(([type]) => type)
        .toSorted(),
    );
    expect(rotationState.enum).toEqual([...rotationStates]);
    expect(stepName.enum).toEqual([...stepNames]);
  });
});

describe('exit codes', () => {
  test('follow from the type of a failure', () => {
    const types = (code: number): string[] =>
      failureExitCodes()
        .filter(([, c]) => c === code)
        .map(([type]) => type);
    expect(types(exitCodes.done)).toEqual([]);
    expect(types(exitCodes.usage)).toEqual([
      'Usage',
      'BadConfig',
      'UnknownSecret',
      'AmbiguousSecret',
      'UnknownHost',
      'UnknownRotation',
      'UnknownSchedule',
      'BadRules',
      'BadRecipient',
      'BadFormat',
    ]);
    expect(types(exitCodes.failed)).toEqual(['Internal']);
    expect(types(exitCodes.unreachable)).toEqual([
      'NotAllowed',
      'Forged',
      'TemporalUnreachable',
      'NoWorker',
      'WrongKey',
    ]);
    expect(types(exitCodes.interrupted)).toEqual(['Interrupted']);
  });

  test('follow from the state of a rotation', () => {
    expect(rotationStates.map((state) => [state, exitCodeOfState(state)])).toEqual([
      ['running', 0],
      ['waiting', 0],
      ['needs-attention', 3],
      ['refused', 1],
      ['done', 0],
      ['rolled-back', 1],
      ['failed', 3],
    ]);
  });
});
