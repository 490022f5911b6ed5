/** Completion: what can stand where, where names come from, and the scripts in real shells. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { candidates, type Candidate, type Sources } from '../../cli/complete/candidates.js';
import { complete } from '../../cli/complete/answer.js';
import type { CommandSpec } from '../../cli/command.js';
import { completionCommand } from '../../cli/commands/completion.js';
import { branchesAt } from '../../cli/command-tree.js';
import { commands } from '../../cli/registry.js';
import { readLine } from '../../cli/words.js';
import { generateCodecKey } from '../../codec/keyring.js';
import { makeRepo, rotateYaml } from './fleet.js';
import { completingCommands, groupCommands } from './group-commands.js';
import { pushLog, record } from './log-branch.js';
import { sourceProgram } from '../support/program.js';
import { makeProgram, missingFor, onPath, shells, type, type Shell } from './typing.js';
import { noInput, rotate } from './world.js';

const bashScript = fileURLToPath(new URL('../../completions/rotate.bash', import.meta.url));
const awkward = 'a b;$(touch stolen)`id`';
const oddities = `  odd:
    ${JSON.stringify(awkward)}: { kind: postgres, file: x.age }
    "x:y": { kind: postgres, file: x.age }
    "two\\nlines": { kind: postgres, file: x.age }
policies:
  fast: { soak: 0 }
schedules:
  monthly: { environment: prod }
  yearly: { environment: test }
`;

let folder: string;
let repo: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rotate-completion-'));
  repo = makeRepo(folder);
  writeFileSync(
    join(repo, 'rotate.yaml'),
    rotateYaml.replace(
      'secrets/prod/api-key.age\n',
      'secrets/prod/api-key.age\n      tags: [web, outside]\n',
    ) + oddities,
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

const things: Sources = {
  environment: async () => texts('prod', 'test'),
  host: async () => texts('web-1', 'web-2'),
  'open-rotation': async () => texts('01A'),
  policy: async () => [],
  rotation: async () => texts('01B', '01A'),
  schedule: async () => texts('monthly', 'weekly'),
  secret: async () => [
    { text: 'db', means: 'prod/db' },
    { text: 'prod/db', means: 'prod/db' },
    { text: 'prod/key', means: 'prod/key' },
  ],
  tag: async () => texts('web', 'slow'),
};

function texts(...list: readonly string[]): Candidate[] {
  return list.map((text) => ({ text }));
}

/** What can stand at the end of `typed`; its last word is the one at the cursor. */
async function at(typed: string, known: readonly CommandSpec[]): Promise<string> {
  const words = typed.split(' ');
  const { found, files } = await candidates(
    readLine(words.slice(0, -1), known),
    words.at(-1) ?? '',
    known,
    things,
  );
  return files ? ':files' : found.map(({ text }) => text).join(' ');
}

const global = '--config --codec-key --env --json --debug --no-color --plain --version --help';

describe('at the end of a line', () => {
  test.each([
    [
      '',
      branchesAt(commands, [])
        .map(({ word }) => word)
        .join(' '),
    ],
    [
      '--env prod ',
      branchesAt(commands, [])
        .map(({ word }) => word)
        .join(' '),
    ],
    ['-', global],
    ['start -', `--tag --due --watch --detach --reason --take-over --value-stdin --yes ${global}`],
    [
      'start --detach --env=prod -',
      `--tag --due --watch --reason --take-over --value-stdin --yes ${global.replace(' --env', '')}`,
    ],
    ['start -y --codec-key x -', `--tag --due --watch --detach --reason --take-over --value-stdin ${global}`],
    ['start ', 'db prod/db prod/key'],
    ['start db ', 'prod/key'],
    ['start --reason db ', 'db prod/db prod/key'],
    ['start --reason=db ', 'db prod/db prod/key'],
    ['start --reason ', ''],
    ['start --reason -', ''],
    ['history ', 'db prod/db prod/key'],
    ['history db ', `--limit ${global}`],
    ['history db x', ''],
    ['history --limit ', ''],
    ['--env ', 'prod test'],
    ['plan --env ', 'prod test'],
    ['plan --env=', '--env=prod --env=test'],
    ['plan --env=p', '--env=prod --env=test'],
    ['plan --json=', ''],
    ['plan --nothing=', ''],
    ['plan --nothing ', 'db prod/db prod/key'],
    ['plan -- ', 'db prod/db prod/key'],
    ['plan -- -', 'db prod/db prod/key'],
    ['--config ', ':files'],
    ['--codec-key=', ':files'],
    ['status ', '01B 01A'],
    ['retry ', '01A'],
    ['skip ', '01A'],
    ['skip 01A ', 'web-1 web-2'],
    ['doctor web-1 ', 'web-2'],
    ['list ', `--due ${global}`],
    ['start --tag ', 'web slow'],
    ['schedule ', 'apply list pause resume trigger delete'],
    ['schedule pause ', 'monthly weekly'],
    ['list x', ''],
    ['completion ', 'bash zsh fish'],
    [
      'help ',
      branchesAt(commands, [])
        .map(({ word }) => word)
        .join(' '),
    ],
    ['nothing ', ''],
    ['nothing x ', ''],
    ['nothing -', global],
  ])('`%s` comes %j', async (typed, expected) => {
    expect(await at(typed, commands)).toBe(expected);
  });

  test.each([
    ['', 'list schedule key'],
    ['schedule ', 'apply pause'],
    ['schedule apply -', `--prune ${global}`],
    ['schedule --json pause ', 'monthly weekly'],
    ['schedule pause weekly ', 'monthly'],
    ['schedule nothing ', ''],
    ['key add ', 'age ssh'],
    ['key add --tag ', 'web slow'],
    ['key add --tag web --tag ', 'slow'],
    ['key add --tag web -', `--tag --as ${global}`],
    ['key add --as=reader --as=', '--as=writer'],
  ])('with groups of commands `%s` comes %j', async (typed, expected) => {
    expect(await at(typed, groupCommands)).toBe(expected);
  });

  test('says what a candidate is', async () => {
    const { found } = await candidates(readLine([], groupCommands), '', groupCommands, things);
    expect(found).toEqual([
      { text: 'list', description: 'does list' },
      { text: 'schedule', description: 'schedules of rotate.yaml' },
      { text: 'key', description: 'add' },
    ]);
  });
});

/** What the hidden command prints; it must say nothing else, and end well. */
async function ask(words: readonly string[], more: { cwd?: string; env?: NodeJS.ProcessEnv } = {}) {
  const { code, stdout, stderr } = await rotate(['__complete', '--', ...words], { cwd: repo, ...more });
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
}

describe('rotate __complete', () => {
  const first = record('01JDH00000000000000000000A', 'prod', 'db-password', {});
  const second = record('01JDH00000000000000000000B', 'test', 'api-key', { state: 'rolled-back' });

  test('knows the names of rotate.yaml', async () => {
    expect(await ask(['plan', 'd'])).toBe('db-password\tpostgres, prod\n');
    expect(await ask(['plan', 'a'])).toBe(`${awkward}\tpostgres, odd\n`);
    expect(await ask(['plan', 'prod/'])).toBe('prod/db-password\tpostgres\nprod/api-key\tpostgres\n');
    expect(await ask(['--env', 'test', 'plan', 'a'])).toBe('api-key\tpostgres, test\n');
    expect(await ask(['doctor', 'w'])).toBe('web-1\tprod\nweb-2\tprod\n');
    expect(await ask(['doctor', '--env=test', ''])).toBe('test-vm\ttest\n');
    expect(await ask(['schedule', 'pause', '--env', 'test', ''])).toBe('yearly\ttest\n');
    expect(await ask(['--env', ''], { cwd: join(repo, 'deep') })).toBe('prod\ntest\n');
  });

  test('reads the rotate.yaml that the line names, also by `~`', async () => {
    for (const flag of [
      ['--config', join(repo, 'rotate.yaml')],
      ['--config=~/rotate.yaml'],
      ['--config', '~/rotate.yaml'],
    ])
      expect(await ask([...flag, 'plan', 'd'], { cwd: tmpdir(), env: { HOME: repo } })).toBe(
        'db-password\tpostgres, prod\n',
      );
  });

  test.each([
    ['environment', 'prod test'],
    ['file', ':files'],
    ['host', 'web-1 web-2 test-vm'],
    ['policy', 'careful fast'],
    ['schedule', 'monthly yearly'],
    ['secret', /^db-password .* prod\/db-password prod\/api-key test\/api-key /],
    ['tag', 'web outside'],
  ])('completes %s', async (completes, expected) => {
    let printed = '';
    const terminal = { isTTY: false, columns: undefined, rows: undefined };
    await complete(['--', completes, ''], completingCommands, {
      stdout: { ...terminal, write: (text) => void (printed += text) },
      stderr: { ...terminal, write: (text) => expect.unreachable(text) },
      stdin: noInput,
      env: { HOME: repo },
      cwd: repo,
      signal: new AbortController().signal,
    });
    const names = printed.replaceAll(/\t.*$/gm, '').trimEnd().replaceAll('\n', ' ');
    expect(names).toMatch(typeof expected === 'string' ? new RegExp(`^${expected}$`) : expected);
  });

  test('offers no name that is two lines', async () => {
    expect(await ask(['plan', 'odd/t'])).toBe('');
  });

  test('leaves the comparing to shells that ask for it', async () => {
    const { stdout } = await rotate(['__complete', '--loose', '--', 'completion', 'x'], { cwd: repo });
    expect(stdout).toBe('bash\nzsh\nfish\n');
  });

  test('knows the rotations that the clone has, newest first, and asks no remote', async () => {
    expect(await ask(['status', ''])).toBe('');
    pushLog(folder, [first, second]);
    execFileSync('git', ['-C', repo, 'fetch', '--quiet']);
    renameSync(join(folder, 'remote.git'), join(folder, 'moved.git'));
    const all = `${second.id}\trolled-back, test/api-key\n${first.id}\tdone, prod/db-password\n`;
    expect(await ask(['status', ''])).toBe(all);
    // Nothing is under way as far as we know.
    expect(await ask(['retry', '01'])).toBe(all);
    expect(await ask(['status', '--env', 'prod', ''])).toBe(`${first.id}\tdone, prod/db-password\n`);
  });

  test('does not wait for a server that is silent', async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = silent.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const key = join(folder, 'key');
    writeFileSync(key, generateCodecKey(), { mode: 0o600 });
    const env = { TEMPORAL_ADDRESS: `127.0.0.1:${address.port}`, ROTATE_CODEC_KEY_FILE: key };
    const asked = new Promise((resolve) => silent.once('connection', resolve));
    expect(await ask(['status', `${first.id.slice(0, -1)}A`], { env })).toContain(first.id);
    await asked;
    silent.close();
  });

  test.each([
    ['nothing at all', 'empty'],
    ['a rotate.yaml that is no YAML', 'broken'],
    ['a folder for a rotate.yaml', 'folder'],
  ])('is silent about %s', async (_title, name) => {
    const cwd = join(folder, name);
    mkdirSync(cwd);
    if (name === 'broken') writeFileSync(join(cwd, 'rotate.yaml'), 'secrets: [}\n\0');
    if (name === 'folder') mkdirSync(join(cwd, 'rotate.yaml'));
    for (const words of [['plan', ''], ['status', ''], ['--env='], [], [''], ['--config', 'x', 'plan', '']])
      expect(await ask(words, { cwd })).toEqual(expect.any(String));
    expect(await ask(['plan', ''], { cwd })).toBe('');
    expect(await ask(['plan', '--config', '/nonexistent', ''], { cwd })).toBe('');
  });

  test('is not in the help', async () => {
    const { stdout } = await rotate(['--help'], { cwd: repo });
    expect(stdout).not.toContain('__complete');
  });

  test('loads no parser for commands, and only YAML for names', () => {
    const pathOf = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
    const loaded = (...words: readonly string[]): unknown => {
      const { stderr } = spawnSync(
        process.execPath,
        ['--import', pathOf('loaded-modules.mjs'), ...sourceProgram.slice(1), '__complete', '--', ...words],
        { cwd: repo, encoding: 'utf8', env: { ...process.env, ROTATE_CODEC_KEY_FILE: '' } },
      );
      return JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '');
    };
    expect(loaded('st')).toEqual([]);
    expect(loaded('plan', '--')).toEqual([]);
    expect(loaded('plan', '')).toEqual(['yaml']);
    expect(loaded('doctor', '')).toEqual(['yaml']);
    expect(loaded('watch', '')).toEqual([]);
  });
});

/** Calls the function of the script as readline does, and says what it replies. */
function reply(
  point: { words: readonly string[]; line?: string; cursor?: number },
  before = '',
): { replies: string[]; stderr: string } {
  const program = makeProgram();
  const { words, line, cursor = line?.length } = point;
  const readline =
    line === undefined ? 'unset COMP_LINE COMP_POINT' : `COMP_LINE=${quoted(line)} COMP_POINT=${cursor}`;
  const { stdout, stderr } = spawnSync(
    'bash',
    [
      '--norc',
      '-c',
      `source ${quoted(bashScript)}
${before}
COMP_WORDS=(${words.map(quoted).join(' ')}); COMP_CWORD=${words.length - 1}; ${readline}
_rotate rotate
for reply in \${COMPREPLY[@]+"\${COMPREPLY[@]}"}; do printf '%s\\0' "$reply"; done`,
    ],
    {
      cwd: repo,
      encoding: 'utf8',
      env: {
        HOME: repo,
        PATH: `${program.folder}${delimiter}${process.env['PATH'] ?? ''}`,
        // A shell that nobody types into has none.
        COMP_WORDBREAKS: ' \t\n"\'><=;|&(:',
      },
    },
  );
  program.remove();
  return { replies: stdout.split('\0').slice(0, -1), stderr };
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

describe('in bash', () => {
  test.each([
    [{ words: ['rotate', 'sta'] }, ['start', 'status']],
    [{ words: ['rotate', 'completion', ''] }, ['bash', 'zsh', 'fish']],
    [{ words: ['rotate', 'plan', 'db'] }, ['db-password']],
    [{ words: ['rotate', '--env', '=', 'p'] }, ['prod']],
    [{ words: ['rotate', '--env', '='] }, ['prod', 'test']],
    [{ words: ['rotate', '--env', '=', 'test', 'doctor', ''] }, ['test-vm']],
    [{ words: ['rotate', 'plan', 'x', ':'] }, ['y']],
    [{ words: ['rotate', 'plan', '"db'] }, ['db-password']],
    [{ words: ['rotate', 'plan', "'db-password'", 'db'] }, []],
    [{ words: ['rotate', '--config', 'rotate.y'] }, ['rotate.yaml']],
    [{ words: ['rotate', '--config', '=', 'rotate.y'] }, ['rotate.yaml']],
    [{ words: ['rotate', '--env', '=', 'p'], line: 'rotate --env=p' }, ['prod']],
    [{ words: ['rotate', '--env', '='], line: 'rotate --env=' }, ['prod', 'test']],
    [
      { words: ['rotate', '--env', '=', 'test', 'doctor', ''], line: ' rotate  --env=test   doctor ' },
      ['test-vm'],
    ],
    [{ words: ['rotate', 'plan', 'x', ':', 'y'], line: 'rotate plan x:y', cursor: 14 }, ['y']],
    [{ words: ['rotate', 'status'], line: 'rotate status', cursor: 10 }, ['start', 'status']],
  ])('%j is completed by %j', (point, expected) => {
    expect(reply(point)).toEqual({ replies: expected, stderr: '' });
  });

  test('works where words are not split at `=` and `:`, and where nothing may be unset', () => {
    const before = `COMP_WORDBREAKS=$' \\t\\n'; set -u`;
    expect(reply({ words: ['rotate', '--env=p'], line: 'rotate --env=p' }, before).replies).toEqual([
      '--env=prod',
    ]);
    expect(reply({ words: ['rotate', 'plan', 'x:'] }, before)).toEqual({ replies: ['x:y'], stderr: '' });
    expect(reply({ words: ['rotate', '--config=rot'] }, before).replies).toEqual(['--config=rotate.yaml']);
  });

  test('quotes what the shell would do something with', () => {
    const [text = ''] = reply({ words: ['rotate', 'plan', 'a'] }).replies;
    const { stdout } = spawnSync('bash', ['-c', `printf %s ${text}`], { cwd: repo, encoding: 'utf8' });
    expect(stdout).toBe(awkward);
    expect(existsSync(join(repo, 'stolen'))).toBe(false);
    // In quotes it cannot be written safely, and is not offered.
    expect(reply({ words: ['rotate', 'plan', '"a'] }).replies).toEqual([]);
  });

  test('runs nothing that stands in the line', () => {
    const evil = '$(touch stolen)`touch stolen`';
    expect(reply({ words: ['rotate', 'plan', evil, evil] })).toEqual({ replies: [], stderr: '' });
    expect(existsSync(join(repo, 'stolen'))).toBe(false);
  });

  test('describes candidates in lists that are only looked at', () => {
    expect(reply({ words: ['rotate', 'sta'] }, 'COMP_TYPE=63 COLUMNS=30').replies).toEqual([
      'start   (rotate secrets)',
      'status  (show rotations, or o',
    ]);
    expect(reply({ words: ['rotate', 'star'] }, 'COMP_TYPE=63').replies).toEqual(['start']);
  });

  test('says nothing when rotate fails or is not there', () => {
    const before = 'rotate() { echo broken >&2; return 3; }';
    expect(reply({ words: ['rotate', 'sta'] }, before)).toEqual({ replies: [], stderr: '' });
    expect(reply({ words: ['/nonexistent/rotate', 'sta'] })).toEqual({ replies: [], stderr: '' });
  });
});

/** A reason for each shell that is not here, said once. */
const missing = new Map(
  ['bash', 'zsh', 'fish'].map((shell) => {
    const reason = missingFor(shell);
    if (reason !== undefined) console.warn(`not typed into ${shell}: ${reason}`);
    return [shell, reason];
  }),
);

test('the documentation installs the scripts as the help does', () => {
  const docs = readFileSync(new URL('../../docs/command-line.md', import.meta.url), 'utf8');
  const { examples } = completionCommand;
  expect(examples.length).toBeGreaterThan(3);
  for (const { command } of examples) expect(docs).toContain(`\`${command}\``);
});

const load: Readonly<Record<Shell, readonly string[]>> = {
  bash: ['source <(rotate completion bash)'],
  zsh: ['autoload -Uz compinit; compinit -u', 'source <(rotate completion zsh)'],
  fish: ['rotate completion fish | source'],
};

const lines: readonly (readonly [string, readonly string[]])[] = [
  ['rotate stat\t', ['status']],
  ['rotate plan db-p\t --js\t', ['plan', 'db-password', '--json']],
  ['rotate --env=p\t plan prod/d\t', ['--env=prod', 'plan', 'prod/db-password']],
  ['rotate --env te\t doc\t te\t', ['--env', 'test', 'doctor', 'test-vm']],
  ['rotate plan x:\t', ['plan', 'x:y']],
  ['rotate plan a\\ \t', ['plan', awkward]],
  ['rotate --config rotate.y\t list', ['--config', 'rotate.yaml', 'list']],
  ['rotate completion fi\t --json --help > /dev/null; rotate hel\t compl\t', ['help', 'completion']],
];

describe.each(Object.keys(shells))('typed into %s', (name) => {
  const reason = missing.get(name);
  const shell = name === 'zsh' || name === 'fish' ? name : 'bash';

  test.skipIf(reason !== undefined)(`Tab completes${reason === undefined ? '' : ` (${reason})`}`, () => {
    expect(type(shell, repo, [...load[shell], ...lines.map(([line]) => line)])).toEqual(
      lines.map(([, words]) => words),
    );
    expect(existsSync(join(repo, 'stolen'))).toBe(false);
  });
});

const noZsh = missing.get('zsh');
test.skipIf(noZsh !== undefined)(
  `zsh finds the script in fpath, and compares as its user wants${noZsh === undefined ? '' : ` (${noZsh})`}`,
  () => {
    expect(
      type('zsh', repo, [
        'mkdir ~/.zfunc; rotate completion zsh > ~/.zfunc/_rotate; fpath=(~/.zfunc $fpath)',
        'autoload -Uz compinit; compinit -u',
        "zstyle ':completion:*' matcher-list 'm:{A-Z}={a-z}'",
        'rotate plan DB\t',
        'rotate --config=rotate.y\t list',
      ]),
    ).toEqual([
      ['plan', 'db-password'],
      ['--config=rotate.yaml', 'list'],
    ]);
  },
);

const bashCompletion = '/usr/share/bash-completion/bash_completion';
const noPackage = existsSync(bashCompletion) && onPath('script') ? undefined : `no ${bashCompletion}`;
if (noPackage !== undefined) console.warn(`not tried with the bash-completion package: ${noPackage}`);
test.skipIf(noPackage !== undefined)(
  `bash loads the script by the bash-completion package${noPackage === undefined ? '' : ` (${noPackage})`}`,
  () => {
    const place = '~/.local/share/bash-completion/completions';
    expect(
      type('bash', repo, [
        `mkdir -p ${place}; rotate completion bash > ${place}/rotate`,
        `source ${bashCompletion}`,
        ...lines.map(([line]) => line),
      ]),
    ).toEqual(lines.map(([, words]) => words));
  },
);
