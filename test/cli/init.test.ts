/** `rotate init`: questions on a terminal, flags without one, and the file that comes of it. */
import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';

import { initCommand } from '../../cli/commands/init.js';
import { fileText } from '../../cli/init/file-text.js';
import { flow } from '../../cli/init/flow.js';
import { kindQuestions } from '../../cli/init/kind-questions.js';
import { keyNamed, readRules } from '../../cli/init/rules-text.js';
import { diffLines, diffText } from '../../cli/render/diff.js';
import { plain } from '../../cli/render/style.js';
import { kindRegistry } from '../../config/registries.js';
import { loadRotateYaml, parseRotateYaml } from '../../config/rotate-yaml.js';
import { program } from '../support/program.js';
import { ctrlC, startOnTerminal } from '../support/pseudo-terminal.js';
import { expectOutput } from './schema.js';
import { onPath } from './typing.js';
import { rotate, type Ended, type World } from './world.js';

let repo: string;

const key = (last: string): string => `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${'A'.repeat(42)}${last}`;

function write(path: string, text: string): void {
  mkdirSync(dirname(join(repo, path)), { recursive: true });
  writeFileSync(join(repo, path), text);
}

beforeEach(() => {
  repo = mkdtempSync(join(tmpdir(), 'rotate-init-'));
  execFileSync('git', ['init', '--quiet', '--initial-branch=main', repo]);
  write('flake.nix', '{ }\n');
  write(
    'secrets/prod/secrets.nix',
    `let
  alice = "${key('a')} alice@laptop";
  web1 = "${key('w')}";
in
{
  "db-password.age".publicKeys = [ alice web1 ];
  "session.age".publicKeys = [ alice web1 ];
}
`,
  );
  write('secrets/prod/db-password.age', '');
});
afterEach(() => rmSync(repo, { recursive: true }));

/** In the repo, without a terminal unless the world has one. */
function here(args: readonly string[], world: Partial<World> = {}): Promise<Ended> {
  return rotate(['init', ...args], { cwd: repo, ...world });
}

/** By flag, in the order of the help; several values for one that is given several times. */
type Flags = Readonly<Record<string, string | readonly string[]>>;

function words(flags: Flags): string[] {
  return Object.entries(flags).flatMap(([flag, values]) =>
    [values].flat().flatMap((value) => [`--${flag}`, value]),
  );
}

const database: Flags = {
  env: 'prod',
  rules: 'secrets/prod/secrets.nix',
  host: ['db-1=10.0.0.5', 'web-1=deploy@10.0.0.11:2222'],
  secret: 'db-password',
  kind: 'postgres',
  set: ['roles=app_a,app_b', 'owner=app', 'database=app', 'admin=postgres@db-1', 'endpoints=db-1:5432'],
  file: 'secrets/prod/db-password.age',
  format: 'env:DATABASE_URL',
  template: 'postgresql://{role}:{password}@db-1:5432/app',
  consumer: 'web-1=app.service',
};

const databaseFile = `# yaml-language-server: $schema=./node_modules/rotate/schemas/rotate.schema.json
#
# What rotate rotates, and how. It holds no secret. All keys are described in docs/configuration.md of rotate.
version: 1

# Each environment has ciphertexts, and rules that say who can open them.
environments:
  prod: { store: agenix, rules: secrets/prod/secrets.nix }

# The machines, as SSH reaches them. One without a hostKey has to be in known_hosts of the worker: no key is
# accepted unseen.
hosts:
  db-1: { environment: prod, address: 10.0.0.5 }
  web-1:
    environment: prod
    address: 10.0.0.11
    port: 2222
    user: deploy
    sudo: true
    hostKey: ${key('w')} # from secrets/prod/secrets.nix

# What is rotated, by environment.
secrets:
  prod:
    db-password:
      kind: postgres
      # The ciphertext, and how the value stands in it.
      file: secrets/prod/db-password.age
      format: { env: DATABASE_URL, template: "postgresql://{role}:{password}@db-1:5432/app" }
      # What the kind has to know: docs/kinds/postgres.md of rotate.
      postgres:
        roles: [app_a, app_b]
        owner: app
        database: app
        admin: { host: db-1, as: postgres }
        endpoints: ["db-1:5432"]
      # Units that read it, in the order in which they are restarted.
      consumers:
        - { hosts: [web-1], units: [app.service] }

# Secrets are rotated with the policy \`careful\`, which is built in: a few hosts first (all together where only one
# value is valid at a time), watched for 10 minutes before the old value is revoked. \`policies\` changes that,
# \`schedules\` rotates by itself.
`;

describe('by flags', () => {
  test('it writes the file, checked and whole, and says what to do next', async () => {
    const { code, stdout, stderr } = await here(words(database));
    expect([code, stdout]).toEqual([0, '']);
    expect(readFileSync(join(repo, 'rotate.yaml'), 'utf8')).toBe(databaseFile);
    expect(stderr).toBe(`rotate: wrote rotate.yaml
note: db-1 has no hostKey: the worker's known_hosts must have its key (see /etc/ssh/ssh_host_ed25519_key.pub on db-1)
what to do next:
  1. read rotate.yaml and docs/kinds/postgres.md, and set up what the kind needs
  2. git add rotate.yaml && git commit -m 'Describe what rotate rotates' && git push   (to main)
  3. rotate dev   (in this repo; leave it running). It prints \`seals to age1…\` and where its worker.yaml is: see that \`ssh\` in it is right
  4. add that age1… recipient to secrets/prod/secrets.nix for secrets/prod/db-password.age; then \`agenix -r\` in secrets/prod, commit, push, and deploy web-1
  5. rotate doctor   (in another terminal)
  6. rotate plan prod/db-password
  7. rotate start prod/db-password --reason 'first try'
`);
    expect(readdirSync(repo).toSorted()).toEqual(['.git', 'flake.nix', 'rotate.yaml', 'secrets']);
    const { secrets, hosts } = await loadRotateYaml(join(repo, 'rotate.yaml'));
    expect(secrets).toMatchObject([
      {
        environment: 'prod',
        name: 'db-password',
        settings: { roles: ['app_a', 'app_b'], owner: 'app', admin: { host: 'db-1', as: 'postgres' } },
        consumers: [{ hosts: ['web-1'], units: ['app.service'], action: 'restart' }],
      },
    ]);
    expect(hosts[1]).toMatchObject({ user: 'deploy', sudo: true, port: 2222, hostKey: key('w') });
  });

  test('it describes the first rotation of the README', async () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    const shown = /```yaml\n(version: 1\n[\s\S]*?)```/.exec(readme)?.[1] ?? '';
    const flags = { ...database, host: ['db-1=10.0.0.5', 'web-1=10.0.0.11'], 'host-key': 'web-1=' };
    const { stdout } = await here([...words(flags), '--print']);
    expect(parseRotateYaml(stdout, 'rotate.yaml')).toEqual(parseRotateYaml(shown, 'README'));
  });

  test.each(Object.keys(database))('without --%s it is an error that names the flag', async (flag) => {
    const { [flag]: _, ...rest } = database;
    const { code, stdout, stderr } = await here(words(rest));
    if (flag === 'format') {
      // The default of rotate.yaml holds.
      expect(code).toBe(0);
      expect(readFileSync(join(repo, 'rotate.yaml'), 'utf8')).toContain('format: { raw: true, template: ');
      return;
    }
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(
      new RegExp(`^rotate: error: without a terminal to ask on, --${flag}\\b.* is needed: `),
    );
    expect(existsSync(join(repo, 'rotate.yaml'))).toBe(false);
  });

  test.each<[Partial<Record<string, string | string[]>>, string]>([
    [{ env: 'pr od' }, '`--env pr od`: `pr od` is not a name'],
    [{ env: '-prod' }, '`--env -prod`: `-prod` is not a name\nrotate: hint: use letters, digits'],
    [
      { rules: 'secrets.nix' },
      '`--rules secrets.nix`: there is no file secrets.nix in the repo\nrotate: hint: give its path from the root of the repo; there is secrets/prod/secrets.nix',
    ],
    [{ rules: '../secrets.nix' }, '`--rules ../secrets.nix`: '],
    [{ host: ['worker'] }, '`--host worker`: `worker` cannot be a name here'],
    [{ host: ['web-1', 'web-1'] }, '`--host web-1`: host `web-1` was named before'],
    [{ host: ['web-1=-x'] }, '`--host web-1=-x`: address: must be a host name or an IP address'],
    [{ host: ['web-1=a b@c'] }, '`--host web-1=a b@c`: user: must be a login name'],
    [{ host: ['test/web-1'] }, '`--host test/web-1`: unknown environment `test`'],
    [
      { 'host-key': 'web-1=ssh-ed25519 AAAA' },
      '`--host-key web-1=ssh-ed25519 AAAA`: the key is not of type ssh-ed25519, or is cut short',
    ],
    [{ 'host-key': `web-2=${key('x')}` }, `\`--host-key ${key('x')}\` answers nothing that was asked`],
    [{ 'host-key': 'web-1' }, '`--host-key web-1` has no name before a `=`'],
    [{ secret: 'db password' }, '`--secret db password`: `db password` is not a name'],
    [{ secret: 'test/db-password' }, '`--secret test/db-password`: unknown environment `test`'],
    [{ file: '/etc/passwd' }, '`--file /etc/passwd`: must be relative to the root of the repo'],
    [{ format: 'xml:x' }, '`--format xml:x`: `xml:x` is no format'],
    [{ format: 'env:1X' }, '`--format env:1X`: a variable name is letters, digits and _'],
    [{ template: 'x' }, '`--template x`: '],
    [
      { template: 'x{password}' },
      '`--template x{password}`: the format cannot say which role the password belongs to',
    ],
    [
      { consumer: 'web-2=app.service' },
      '`--consumer web-2=app.service`: unknown host `web-2`, did you mean `web-1`?',
    ],
    [
      { consumer: 'web-1=app' },
      '`--consumer web-1=app`: `app` is not the name of a unit\nrotate: hint: did you mean `app.service`?',
    ],
    [{ list: ',' }, '`--list ,` answers nothing that was asked'],
  ])('%j is refused with what rotate.yaml would be told', async (more, message) => {
    const { code, stderr } = await here(words({ ...database, ...more } as Flags));
    expect(stderr).toContain(message);
    expect(code).toBe(2);
    expect(readdirSync(repo)).not.toContain('rotate.yaml');
  });

  test.each<[string[], string]>([
    [
      ['roles=app_a,app_a,app_b,app_c'],
      '`--set roles=app_a,app_a,app_b,app_c`: roles must name one role (swap) or two (dual), not more',
    ],
    [['roles=app,app_b'], '`--set owner=app`: owner must be a third role that both roles are members of'],
    [['admin=postgres@db-2'], '`--set admin=postgres@db-2`: host: unknown host `db-2`, did you mean `db-1`?'],
    [['admin=db-1'], '`--set admin=db-1`: `db-1` is neither'],
    [['endpoints=db-1'], '`--set endpoints=db-1`: '],
    [['color=red'], '`--set color=red`: unknown key `color`'],
    [['admin.port=x', 'admin.port: {'], '`--set admin.port: {` has no name before a `=`'],
    [['x={'], '`--set x={`: is no YAML'],
  ])('settings %j are refused too', async (settings, message) => {
    const set = [
      ...[database['set'] ?? []]
        .flat()
        .filter((each) => !settings.some((s) => s.split('=')[0] === each.split('=')[0])),
      ...settings,
    ];
    const { code, stderr } = await here(words({ ...database, set }));
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });

  test('it says that sops comes later', async () => {
    expect(await here([...words(database), '--store', 'sops'])).toMatchObject({
      code: 2,
      stderr:
        'rotate: error: `--store sops`: sops comes later: this version rotates agenix files\n' +
        'rotate: hint: keep what is to be rotated in agenix files for now\n',
    });
  });

  test('it takes several environments, each with its rules and hosts', async () => {
    write('secrets/test/secrets.nix', '{ }');
    const flags = {
      ...database,
      env: 'prod,test',
      rules: ['prod=secrets/prod/secrets.nix', 'test=secrets/test/secrets.nix'],
      host: ['prod/db-1', 'prod/web-1', 'test/vm=10.0.0.9'],
      secret: 'prod/db-password',
    };
    const { stdout, code } = await here([...words(flags), '--print']);
    expect(code).toBe(0);
    const { environments, hosts } = parseRotateYaml(stdout, 'rotate.yaml');
    expect(environments).toMatchObject([
      { name: 'prod', rules: 'secrets/prod/secrets.nix' },
      { name: 'test', rules: 'secrets/test/secrets.nix' },
    ]);
    expect(hosts.map(({ name, environment }) => `${environment}/${name}`)).toEqual([
      'prod/db-1',
      'prod/web-1',
      'test/vm',
    ]);
    for (const [flag, value, missing] of [
      ['host', 'vm', '--host ENV/vm'],
      ['secret', 'db-password', '--secret ENV/db-password'],
    ] as const)
      expect((await here([...words({ ...flags, [flag]: value }), '--print'])).stderr).toContain(missing);
    const shared = await here([...words({ ...flags, rules: 'secrets/prod/secrets.nix' }), '--print']);
    expect(parseRotateYaml(shared.stdout, 'rotate.yaml').environments[1]?.rules).toBe(
      'secrets/prod/secrets.nix',
    );
  });

  test('it prints to stdout with --print, and writes nothing', async () => {
    const { code, stdout, stderr } = await here([...words(database), '--print'], {
      cwd: join(repo, 'secrets'),
    });
    expect([code, stdout, stderr]).toEqual([0, databaseFile, '']);
    expect(existsSync(join(repo, 'rotate.yaml'))).toBe(false);
    const printed = await here([...words(database), '--print', '--json']);
    expectOutput(printed.stdout, 'init');
    expect(JSON.parse(printed.stdout)).toEqual({
      file: join(repo, 'rotate.yaml'),
      written: false,
      text: databaseFile,
    });
  });

  test('it writes at the root of the repo, wherever it is typed, or where --config says', async () => {
    expect((await here([...words(database), '--json'], { cwd: join(repo, 'secrets/prod') })).code).toBe(0);
    expect(readFileSync(join(repo, 'rotate.yaml'), 'utf8')).toBe(databaseFile);
    const { stdout } = await here([...words(database), '--json', '--config', 'secrets/other.yaml']);
    expectOutput(stdout, 'init');
    expect(JSON.parse(stdout)).toMatchObject({ file: join(repo, 'secrets/other.yaml'), written: true });
    expect(readFileSync(join(repo, 'secrets/other.yaml'), 'utf8')).toBe(databaseFile);
    expect(await here([...words(database), '--config', 'no/x.yaml'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('there is no folder'),
    });
  });

  test('it needs a repo', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rotate-none-'));
    expect(await here(words(database), { cwd: folder })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is in no git working tree'),
    });
    rmSync(folder, { recursive: true });
  });

  test('it says where the branch is another, flake.nix elsewhere, and the file missing', async () => {
    execFileSync('git', ['-C', repo, 'symbolic-ref', 'HEAD', 'refs/heads/master']);
    rmSync(join(repo, 'flake.nix'));
    write('nix/flake.nix', '{ }');
    expect((await here([...words(database), '--print'])).stderr).toContain('--flake FOLDER is needed');
    const flags = { ...database, flake: 'nix', secret: 'other', file: 'secrets/prod/other.age' };
    const { stderr } = await here(words(flags));
    expect(readFileSync(join(repo, 'rotate.yaml'), 'utf8')).toContain(
      '\nrepo: { branch: master, flake: nix }\n',
    );
    expect(stderr).toContain('note: secrets/prod/other.age is not there yet');
    expect(stderr).toContain('(to master)');
    rmSync(join(repo, 'rotate.yaml'));
    rmSync(join(repo, 'nix'), { recursive: true });
    write('secrets/prod/other.age', '');
    const without = await here(words({ ...flags, flake: '.' }));
    expect(without.stderr).toContain('note: there is no flake.nix in this repo');
    expect(without.stderr).toContain('secrets/prod/secrets.nix does not seem to name secrets/prod/other.age');
  });
});

describe('each kind', () => {
  const common: Flags = {
    env: 'prod',
    rules: 'secrets/prod/secrets.nix',
    host: ['db-1', 'web-1'],
    secret: 'x',
    file: 'secrets/prod/x.age',
    consumer: ['web-1=app.service,jobs.service'],
  };
  const http = [
    'base=https://api.vendor.example/v1',
    'auth.login=mail-admin',
    'list.get=/keys',
    'list.ids=/data/*/id',
    'create.post=/keys',
    'create.value=/secret',
    'create.id=/id',
    'check.get=/whoami',
    'delete.delete=/keys/{id}',
  ];
  const bearer = { headers: { authorization: 'Bearer {value}' } };

  test.each<[string, Flags, object]>([
    [
      'postgres',
      { ...database, ...common, consumer: 'web-1=app.service' },
      { settings: { roles: ['app_a', 'app_b'] } },
    ],
    [
      'postgres',
      { set: ['roles=app', 'database=app', 'admin=login:app-admin', 'endpoints=db-1:5432'] },
      { format: { type: 'raw' }, settings: { roles: ['app'], owner: 'app', admin: { login: 'app-admin' } } },
    ],
    [
      'postgres',
      { set: ['roles=app', 'database=app', 'admin=postgres@db-1', 'admin.port=5433', 'endpoints=db-1:5433'] },
      { settings: { admin: { host: 'db-1', as: 'postgres', port: 5433 } } },
    ],
    ['token', {}, { format: { type: 'raw' }, settings: { base64url: 32 } }],
    ['token', { set: 'hex=24', format: 'env:SECRET' }, { settings: { hex: 24 } }],
    [
      'token',
      { set: 'keepOld=7d', format: 'env:SECRETS' },
      { format: { type: 'env', list: { separator: ',' } }, settings: { keepOld: '7d' } },
    ],
    ['token', { set: 'keepOld=7d' }, { format: { type: 'raw', list: { separator: '\n' } } }],
    [
      'token',
      { set: 'keepOld=7d', format: 'json:session.keys' },
      { format: { type: 'json', path: ['session', 'keys'] } },
    ],
    ['manual', { set: 'overlap=dual' }, { settings: { overlap: 'dual' } }],
    [
      'manual',
      { set: ['overlap=dual', 'revoke.checklist=console: delete the older key'] },
      { settings: { revoke: { checklist: 'console: delete the older key' } } },
    ],
    [
      'manual',
      { set: ['overlap=swap', 'provision={ command: [set-it], on: db-1 }', 'undo.checklist=put it back'] },
      {
        settings: {
          overlap: 'swap',
          provision: { command: ['set-it'], on: 'db-1' },
          undo: { checklist: 'put it back' },
        },
      },
    ],
    [
      'http',
      { set: http, template: '{role}:{password}' },
      {
        settings: {
          auth: { login: 'mail-admin', headers: { authorization: 'Bearer {admin}' } },
          check: bearer,
        },
      },
    ],
    [
      'http',
      {
        set: [
          ...http,
          'create.body={ name: "{label}" }',
          'list.labels=/data/*/name',
          'identify={ get: /whoami, id: /key/id }',
        ],
        format: 'yaml:mail.key',
      },
      { format: { type: 'yaml' }, settings: { identify: bearer, create: { body: { name: '{label}' } } } },
    ],
  ])('%s by %j is read as it was said', async (kind, flags, secret) => {
    const { code, stdout, stderr } = await here([...words({ ...common, kind, ...flags }), '--print']);
    expect([code, stderr]).toEqual([0, '']);
    expect(parseRotateYaml(stdout, 'rotate.yaml').secrets).toMatchObject([
      { name: 'x', kind, consumers: [{ hosts: ['web-1'] }], ...secret },
    ]);
    expect((await here([...words({ ...common, kind, ...flags }), '--print'])).stdout).toBe(stdout);
  });

  test('is offered, by flag and by question', () => {
    const option = initCommand.options.find(({ flags }) => flags.startsWith('--kind'));
    expect(option?.values?.toSorted()).toEqual([...kindRegistry.keys()].toSorted());
    expect([...kindQuestions.keys()].toSorted()).toEqual([...kindRegistry.keys()].toSorted());
  });

  test('that has an admin login is told to declare it', async () => {
    const { stderr } = await here(
      words({ ...common, kind: 'http', set: http, template: '{role}:{password}' }),
    );
    expect(stderr).toContain('declare the login `mail-admin` in that worker.yaml');
  });
});

describe('on a terminal', () => {
  const terminal = { columns: 100 };
  const answers = [
    '', // environments
    '', // store
    '', // rules
    'db-1',
    'root@10.0.0.5',
    '', // host key
    'web-1',
    'deploy@10.0.0.11:2222',
    '', // sudo
    '', // host key
    '', // no more hosts
    'db-password',
    'postgres',
    '', // file
    'app_a, app_b',
    'app',
    '', // database
    '', // admin
    '', // endpoints
    '', // format
    '', // template
    '', // hosts that read it
    'app.service',
    '', // action
    '', // no more consumers
  ];

  test('it asks, offers what it has found, and writes the same file', async () => {
    const { code, stdout, stderr } = await here([], { terminal, typed: answers, env: { NO_COLOR: '1' } });
    expect([code, stdout]).toEqual([0, '']);
    expect(readFileSync(join(repo, 'rotate.yaml'), 'utf8')).toBe(databaseFile);
    expect(stderr).toContain('environments, with commas between them [prod]: ');
    expect(stderr).toContain('  the rules have keys of: alice, web1\nfirst host, its name: ');
    expect(stderr).toContain(
      `  found in secrets/prod/secrets.nix\nhost key of web-1 [${key('w')}] (-: none): `,
    );
    expect(stderr).toContain('its file, from the root of the repo [secrets/prod/db-password.age]: ');
    expect(stderr).toContain('7. rotate start prod/db-password');
  });

  test('it says what is wrong in the words of rotate.yaml, and asks again', async () => {
    const typed = [...answers];
    typed.splice(0, 1, 'test, pr:od', 'prod');
    typed.splice(typed.indexOf('db-1'), 1, 'worker', 'db-1');
    typed.splice(typed.indexOf('root@10.0.0.5'), 1, 'root@10.0.0.5:x', 'root@10.0.0.5');
    typed.splice(typed.indexOf('postgres'), 1, 'postgers', 'postgres');
    // Only shows when all of the block is known: it is asked for again.
    typed.splice(typed.indexOf('app'), 1, 'app_a');
    typed.splice(typed.indexOf('app_a') + 1, 1, 'app');
    typed.splice(typed.indexOf('app_a') + 4, 0, 'app');
    typed.splice(typed.indexOf('app.service'), 1, 'app', 'app.service');
    const { code, stderr } = await here([], { terminal, typed, env: { NO_COLOR: '1' } });
    expect(stderr).toContain(
      '  `pr:od` is not a name\n  hint: use letters, digits, `.`, `_` and `-`, beginning with a letter or a digit\nenvironments',
    );
    expect(stderr).toContain('  `worker` cannot be a name here: it has a meaning of its own\n');
    expect(stderr).toContain('  `root@10.0.0.5:x` is no login\n  hint: write it as root@10.0.0.5\nSSH login');
    expect(stderr).toContain('  unknown kind `postgers`, did you mean `postgres`?\n');
    expect(stderr).toContain(
      '  owner must be a third role that both roles are members of\nowner role that both are members of: ',
    );
    expect(stderr).toContain('`app` is not the name of a unit\n  hint: did you mean `app.service`?\nunits');
    expect(code).toBe(0);
    expect(readFileSync(join(repo, 'rotate.yaml'), 'utf8')).toBe(databaseFile);
  });

  test('it does not ask for what the flags say', async () => {
    const { consumer: _, host: __, ...flags } = database;
    const typed = [
      'db-1',
      '10.0.0.5',
      '',
      'web-1',
      'deploy@10.0.0.11:2222',
      '',
      '',
      '',
      '',
      'app.service',
      '',
      '',
    ];
    const { code, stderr } = await here([...words(flags), '--store', 'agenix'], { terminal, typed });
    expect(code).toBe(0);
    expect(stderr).not.toContain('environments');
    expect(readFileSync(join(repo, 'rotate.yaml'), 'utf8')).toBe(databaseFile);
  });

  test('a dash says no to what is offered', async () => {
    const { consumer: _, host: __, ...flags } = database;
    const typed = ['db-1', '', '-', 'web-1', '', '-', '', '', '', 'app.service', 'reload', ''];
    expect((await here([...words(flags), '--store', 'agenix'], { terminal, typed })).code).toBe(0);
    const text = readFileSync(join(repo, 'rotate.yaml'), 'utf8');
    expect(text).not.toContain('ssh-ed25519');
    expect(text).toContain('- { hosts: [web-1], units: [app.service], action: reload }');
  });

  test.each(answers.map((_, i) => i).filter((i) => i % 4 === 0))(
    'Ctrl-C and the end of the input at question %i leave nothing behind',
    async (i) => {
      const typed = answers.slice(0, i);
      const ended = await here([], { terminal, typed });
      expect(ended).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('the input ended before it was said'),
      });
      const control = new AbortController();
      let asked = 0;
      const stopped = await here([], {
        terminal,
        typed,
        signal: control.signal,
        onStderr: (text) => {
          if (text.endsWith(': ') && asked++ === i) control.abort('SIGINT');
        },
      });
      expect([stopped.code, stopped.stdout]).toEqual([130, '']);
      expect(readdirSync(repo).toSorted()).toEqual(['.git', 'flake.nix', 'secrets']);
    },
  );
});

describe('an existing file', () => {
  const old = databaseFile.replace('10.0.0.5', '10.0.0.4').replace('# accepted unseen.\n', '');

  test('is left alone', async () => {
    write('rotate.yaml', 'version: 1\n');
    const ended = await here(words(database), { cwd: join(repo, 'secrets') });
    expect(ended).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/rotate\.yaml is there already\nrotate: hint: .*`--force` replaces it/),
    });
    expect(readFileSync(join(repo, 'rotate.yaml'), 'utf8')).toBe('version: 1\n');
  });

  test('is replaced by --force --yes, and the difference is shown', async () => {
    write('rotate.yaml', old);
    expect(await here([...words(database), '--force'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('without a terminal to ask on, --force needs --yes'),
    });
    const { code, stdout, stderr } = await here([...words(database), '--force', '--yes']);
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toContain(
      '+ # accepted unseen.\n  hosts:\n-   db-1: { environment: prod, address: 10.0.0.4 }\n+   db-1: { environment: prod, address: 10.0.0.5 }\n',
    );
    expect(stderr).not.toContain('db-password:\n');
    expect(readFileSync(join(repo, 'rotate.yaml'), 'utf8')).toBe(databaseFile);
    const again = await here([...words(database), '--force', '--yes', '--json']);
    expect(JSON.parse(again.stdout)).toMatchObject({ written: false });
    expect(again.stderr).toContain('rotate: rotate.yaml says so already\n');
  });

  test('is replaced by --force when the person says yes, through a link too', async () => {
    write('config/rotate.yaml', old);
    symlinkSync('config/rotate.yaml', join(repo, 'rotate.yaml'));
    const terminal = { columns: 80 };
    const no = await here([...words(database), '--force', '--store', 'agenix'], { terminal, typed: [''] });
    expect(no).toMatchObject({ code: 1, stderr: expect.stringContaining('Replace rotate.yaml? [y/N] ') });
    expect(no.stderr).toContain('nothing was changed');
    expect(readFileSync(join(repo, 'rotate.yaml'), 'utf8')).toBe(old);
    const yes = await here([...words(database), '--force'], { terminal, typed: ['', 'y'] });
    expect(yes.code).toBe(0);
    expect(readFileSync(join(repo, 'config/rotate.yaml'), 'utf8')).toBe(databaseFile);
  });
});

describe('host keys', () => {
  const flags = { ...database, host: ['db-1=10.0.0.5', 'web-1=10.0.0.11', 'web-2=[::1]:2222'] };

  async function keysOf(): Promise<{ keys: (string | undefined)[]; text: string; stderr: string }> {
    const { stdout } = await here([...words(flags), '--print']);
    const { stderr } = await here([...words(flags), '--config', 'x.yaml']);
    rmSync(join(repo, 'x.yaml'));
    return { keys: parseRotateYaml(stdout, 'x').hosts.map(({ hostKey }) => hostKey), text: stdout, stderr };
  }

  test('come from the rules and from known_hosts, hashed names and ports too', async () => {
    const salt = Buffer.from('salt of a known host');
    const hash = createHmac('sha1', salt).update('10.0.0.5').digest('base64');
    write(
      '.ssh/known_hosts',
      `|1|${salt.toString('base64')}|${hash} ssh-rsa ${Buffer.concat([Buffer.from([0, 0, 0, 7]), Buffer.from('ssh-rsa')]).toString('base64')}
|1|${salt.toString('base64')}|${hash} ${key('d')} comment
[::1]:2222 ${key('v')}
`,
    );
    const { keys, text, stderr } = await keysOf();
    expect(keys).toEqual([key('d'), key('w'), key('v')]);
    expect(text).toContain(`hostKey: ${key('d')} # from ~/.ssh/known_hosts\n`);
    expect(stderr).not.toContain('no hostKey');
  });

  test('are not taken where the two disagree, nor when they are revoked', async () => {
    write('.ssh/known_hosts', `10.0.0.11 ${key('o')}\n10.0.0.5 ${key('d')}\n@revoked * ${key('d')}\n`);
    const { keys, stderr } = await keysOf();
    expect(keys).toEqual([undefined, undefined, undefined]);
    expect(stderr).toContain(
      'note: web-1: secrets/prod/secrets.nix and ~/.ssh/known_hosts have different keys of type ssh-ed25519, so none was taken',
    );
    expect(stderr).toContain('note: db-1 has no hostKey');
  });

  test('are read from the ways in which rules name them', async () => {
    write('keys/vm.pub', `${key('p')} root@vm\n`);
    write('keys/hosts.nix', `{ systems."imported.example" = "${key('i')}"; }`);
    write(
      'r.nix',
      `/* old = "${key('x')}"; */
let
  # gone = "${key('x')}";
  inherit (import ./keys/hosts.nix) systems;
  vm = builtins.readFile ./keys/vm.pub;
  outside = builtins.readFile ../../etc/passwd;
  hosts = { web_1 = "${key('w')} root@web-1"; twice = "${key('1')}"; };
  Twice = "${key('2')}";
in { "a.age".publicKeys = [ vm ]; "sub/b.age" = { publicKeys = [ vm ]; armor = true; }; "../c.age".publicKeys = [ ]; }`,
    );
    const rules = await readRules(repo, 'r.nix');
    expect(rules.files).toEqual(['a.age', 'sub/b.age']);
    expect([...rules.keys.keys()].toSorted()).toEqual(['Twice', 'imported.example', 'twice', 'vm', 'web_1']);
    expect(keyNamed(rules, 'web-1')).toEqual({ key: key('w'), from: 'r.nix' });
    expect(keyNamed(rules, 'vm')).toEqual({ key: key('p'), from: 'keys/vm.pub' });
    expect(keyNamed(rules, 'imported.example')).toEqual({ key: key('i'), from: 'keys/hosts.nix' });
    expect(keyNamed(rules, 'twice')).toBeUndefined();
    expect(keyNamed(rules, 'alice')).toBeUndefined();
    expect(await readRules(repo, 'none.nix')).toEqual({ files: [], keys: new Map() });
  });
});

describe('the text of the file', () => {
  test('says any value so that it is read as it was', () => {
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        fc.string({ unit: 'grapheme' }),
        fc.string(),
        fc.integer(),
        fc.boolean(),
        tie('list'),
        tie('map'),
      ),
      list: fc.array(tie('any'), { maxLength: 3 }),
      map: fc.dictionary(fc.string(), tie('any'), { maxKeys: 3, noNullPrototype: true }),
    })).any;
    fc.assert(
      fc.property(value, (each) => {
        expect(parse(`x: ${flow(each)} # comment`)).toEqual({ x: each });
      }),
    );
    for (const text of [
      'true',
      'No',
      '1',
      '1e3',
      '0x1',
      '.5',
      '1.2.3',
      '~',
      'null',
      '-',
      '',
      '2026-01-01',
      'a: b',
      'a #b',
      '@web',
      '::1',
    ])
      expect(parse(`x: ${flow(text)}`)).toEqual({ x: text });
    expect(flow({ hosts: ['web-1'], address: '10.0.0.5' })).toBe('{ hosts: [web-1], address: 10.0.0.5 }');
  });

  test('means what the draft means, with names that look like something else', () => {
    const draft = {
      version: 1,
      environments: { true: { store: 'agenix', rules: 'secrets.nix' } },
      hosts: {
        1: { environment: 'true' },
        constructor: { environment: 'true' },
        null: { environment: 'true', user: 'yes', sudo: true },
      },
      secrets: {
        true: {
          '1.5': {
            kind: 'token',
            file: '#a: b.age',
            format: { raw: true, list: '\n' },
            token: { hex: 32, keepOld: '7d' },
            consumers: [{ hosts: ['1', 'null'], units: ['app.service'], action: 'none' }],
          },
        },
      },
    };
    const text = fileText(draft, new Map());
    expect(parseRotateYaml(text, 'x')).toEqual(parseRotateYaml(JSON.stringify(draft), 'x'));
  });
});

describe('a difference', () => {
  test('leads from one text to the other', () => {
    const text = fc
      .array(fc.constantFrom('a', 'b', 'c'), { maxLength: 12 })
      .map((lines) => lines.map((line) => `${line}\n`).join(''));
    fc.assert(
      fc.property(text, text, (before, after) => {
        const lines = diffLines(before, after);
        const side = (change: string): string =>
          lines
            .filter((line) => line.change !== change)
            .map((line) => `${line.text}\n`)
            .join('');
        expect([side('added'), side('removed')]).toEqual([before, after]);
        if (before === after) expect(diffText(before, after, plain)).toBe('');
      }),
    );
  });
});

const noScript = onPath('script') ? undefined : 'script is not on the PATH';
if (noScript !== undefined) console.warn(`rotate init is not tried on a real terminal: ${noScript}`);

describe.skipIf(noScript !== undefined)('on a real terminal', () => {
  /** Types a line whenever a question is asked; `^C` is Ctrl-C. */
  async function type(lines: readonly string[]): Promise<{ printed: string; code: number }> {
    const terminal = startOnTerminal(
      [...program, 'init'],
      { columns: 80, rows: 24 },
      { cwd: repo, env: { ...process.env, HOME: repo, NO_COLOR: '1' } },
    );
    let seen = 0;
    for (const line of lines) {
      await terminal.until((raw) => raw.length > seen && raw.endsWith(': '));
      seen = terminal.raw().length;
      terminal.type(line === '^C' ? ctrlC : `${line}\r`);
    }
    const code = await terminal.ended;
    return { printed: terminal.raw(), code };
  }

  test('it takes line after line', async () => {
    const { consumer: _, ...rest } = database;
    expect(rest).toBeDefined();
    const { printed, code } = await type([
      '',
      '',
      '',
      'db-1',
      '10.0.0.5',
      '',
      'web-1',
      'deploy@10.0.0.11:2222',
      '',
      '',
      '',
      'db-password',
      'postgres',
      '',
      'app_a app_b',
      'app',
      '',
      '',
      '',
      '',
      '',
      '',
      'app.service',
      '',
      '',
    ]);
    expect([code, printed]).toEqual([0, printed]);
    expect(readFileSync(join(repo, 'rotate.yaml'), 'utf8')).toBe(databaseFile);
  });

  test('Ctrl-C ends it with 130 and leaves nothing behind', async () => {
    const { printed, code } = await type(['', '', '', 'db-1', '^C']);
    expect([code, printed]).toEqual([130, printed]);
    expect(readdirSync(repo).toSorted()).toEqual(['.git', 'flake.nix', 'secrets']);
  });
});
