import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseRotateYaml, readRotateYaml } from '../../config/rotate-yaml.js';
import { errorOf } from './errors.js';
import { placesOf, told, unmark } from './marked.js';

const example = readFileSync(join(import.meta.dirname, 'fixtures/rotate.yaml'), 'utf8');

function read(text: string) {
  return readRotateYaml(text, 'rotate.yaml');
}

describe('the example', () => {
  test('is read without a mistake or a warning', () => {
    const { problems, warnings } = read(example);
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
  });

  test('gives resolved hosts, tags, formats, probes and policies', () => {
    const config = parseRotateYaml(example, 'rotate.yaml');
    expect(config.repo).toEqual({ branch: 'main', flake: '.' });
    expect(config.environments).toEqual([
      { name: 'prod', store: 'agenix', rules: 'secrets/prod/secrets.nix' },
    ]);
    expect(config.hosts[0]).toEqual({
      name: 'web-1',
      environment: 'prod',
      address: '10.0.0.11',
      port: 22,
      user: 'root',
      sudo: false,
      hostKey: expect.stringMatching(/^ssh-ed25519 AAAA\S+$/),
      configuration: 'web-1',
      build: 'worker',
      tags: ['web'],
    });
    expect(config.secrets).toEqual([
      {
        environment: 'prod',
        name: 'db-password',
        kind: 'postgres',
        file: 'secrets/prod/db-password.age',
        format: {
          type: 'env',
          variable: 'DATABASE_URL',
          template: 'postgresql://{role}:{password}@db-1:5432/app',
        },
        settings: {
          roles: ['app_a', 'app_b'],
          owner: 'app',
          database: 'app',
          admin: { host: 'db-1', as: 'postgres' },
          endpoints: ['db-1:5432'],
        },
        consumers: [{ hosts: ['test-vm', 'web-1'], units: ['app.service'], action: 'restart' }],
        probes: [{ type: 'http', url: 'http://127.0.0.1:8080/health', status: 200 }],
        policy: {
          name: 'careful',
          canary: ['test-vm'],
          waves: [1, '25%', '100%'],
          parallel: 10,
          maxFailures: 0,
          stableMs: 5_000,
          soakMs: 600_000,
          proveAgainMs: 60_000,
          deadManMs: 60_000,
          budgets: { apply: 900_000, repo: 900_000, converge: 2_700_000, undo: 1_800_000, drain: 300_000 },
        },
        tags: [],
        after: [],
        maxAgeMs: 15_552_000_000,
        warnBeforeMs: 1_209_600_000,
      },
    ]);
  });
});

/** A small fleet; `secret` and `policies` are appended to it with their own indentation. */
const fleet = `version: 1
environments:
  prod: { store: agenix, rules: secrets/secrets.nix }
  test: { store: sops }
hosts:
  web-1: { environment: prod, tags: [web] }
  web-2: { environment: prod, tags: [web] }
  db-1: { environment: prod }
  lab-1: { environment: test, tags: [lab] }
`;

const postgres =
  '{ roles: [app], owner: own, database: app, admin: { login: app }, endpoints: ["db-1:5432"] }';
const twoRoles = postgres.replace('[app]', '[app_a, app_b]');

/** The fleet with one secret, to which `lines` are added. */
function secret(lines: string, block: string = postgres): string {
  return `${fleet}secrets:\n  prod:\n    db:\n      kind: postgres\n      file: secrets/db.age\n      postgres: ${block}\n${lines}\n`;
}

describe('defaults', () => {
  test('a host has its name as address and configuration, port 22, root, and is built by the worker', () => {
    expect(parseRotateYaml(fleet, 'rotate.yaml').hosts[2]).toEqual({
      name: 'db-1',
      environment: 'prod',
      address: 'db-1',
      port: 22,
      user: 'root',
      sudo: false,
      configuration: 'db-1',
      build: 'worker',
      tags: [],
    });
  });

  test('a secret is raw, has no consumers or probes, and the built-in policy careful', () => {
    const [found] = parseRotateYaml(secret(''), 'rotate.yaml').secrets;
    expect(found).toMatchObject({ format: { type: 'raw' }, consumers: [], probes: [] });
    expect(found?.policy).toEqual({
      name: 'careful',
      canary: [],
      waves: [1, '25%', '100%'],
      parallel: 10,
      maxFailures: 0,
      stableMs: 5_000,
      soakMs: 600_000,
      proveAgainMs: 60_000,
      deadManMs: 60_000,
      budgets: { apply: 900_000, repo: 900_000, converge: 2_700_000, undo: 1_800_000, drain: 300_000 },
    });
  });

  test('a declared policy careful replaces the built-in one and keeps the defaults of what it leaves out', () => {
    const text = secret('policies:\n  careful: { soak: 0, budgets: { drain: 90s } }');
    expect(parseRotateYaml(text, 'rotate.yaml').secrets[0]?.policy).toMatchObject({
      soakMs: 0,
      parallel: 10,
      budgets: { drain: 90_000, apply: 900_000 },
    });
  });

  test("a secret's own policy wins over that of its environment", () => {
    const policies = 'policies:\n  fast: { soak: 1s }\n  slow: { soak: 1d }';
    const text = secret(`      policy: fast\n${policies}`).replace(
      'secrets.nix }',
      'secrets.nix, policy: slow }',
    );
    expect(parseRotateYaml(text, 'rotate.yaml').secrets[0]?.policy.soakMs).toBe(1_000);
    expect(
      parseRotateYaml(text.replace('      policy: fast\n', ''), 'rotate.yaml').secrets[0]?.policy.soakMs,
    ).toBe(86_400_000);
  });

  test('an empty section counts as one that is left out', () => {
    expect(parseRotateYaml('version: 1\nhosts:\nsecrets:\n', 'rotate.yaml')).toEqual({
      repo: { branch: 'main', flake: '.' },
      environments: [],
      hosts: [],
      secrets: [],
      schedules: [],
      freezes: [],
    });
  });
});

describe('what can be written in more than one way', () => {
  test('probes are http with a status, tcp, and commands as a list or as text for a shell', () => {
    const verify = `      verify:
        - { http: { url: "https://127.0.0.1/x", status: 204 } }
        - { tcp: "[::1]:8080" }
        - { command: [app-check, --deep], timeout: 1m30s }
        - command: test -e /run/app`;
    expect(parseRotateYaml(secret(verify), 'rotate.yaml').secrets[0]?.probes).toEqual([
      { type: 'http', url: 'https://127.0.0.1/x', status: 204 },
      { type: 'tcp', address: '::1', port: 8080 },
      { type: 'command', argv: ['app-check', '--deep'], timeoutMs: 90_000 },
      { type: 'command', argv: ['/bin/sh', '-c', 'test -e /run/app'], timeoutMs: 30_000 },
    ]);
  });

  test('tags mean only hosts of the environment, names and tags may overlap, and hosts are sorted', () => {
    const text = secret(
      '      consumers: [{ hosts: [web-2, "@web"], units: [a.service, b@1.service] }]',
    ).replace('tags: [lab]', 'tags: [lab, web]');
    expect(parseRotateYaml(text, 'rotate.yaml').secrets[0]?.consumers).toEqual([
      { hosts: ['web-1', 'web-2'], units: ['a.service', 'b@1.service'], action: 'restart' },
    ]);
  });

  test.each([
    ['raw', { type: 'raw' }],
    ['{ raw: true, template: "{role} {password}" }', { type: 'raw', template: '{role} {password}' }],
    ['{ env: PGPASSWORD }', { type: 'env', variable: 'PGPASSWORD' }],
  ])('format %s', (format, expected) => {
    const [found] = parseRotateYaml(secret(`      format: ${format}`), 'rotate.yaml').secrets;
    expect(found?.format).toEqual(expected);
  });

  test('paths lose `./` and doubled slashes', () => {
    const text = secret('').replace('file: secrets/db.age', 'file: ./secrets//x/../db.age');
    expect(parseRotateYaml(text, 'rotate.yaml').secrets[0]?.file).toBe('secrets/db.age');
  });

  test('two secrets share an env file when their variables differ', () => {
    const other = `      format: { env: A }\n    db2:\n      kind: postgres\n      file: ./secrets/db.age\n      format: { env: B }\n      postgres: ${postgres}`;
    expect(parseRotateYaml(secret(other), 'rotate.yaml').secrets.map((each) => each.file)).toEqual([
      'secrets/db.age',
      'secrets/db.age',
    ]);
  });

  test('a host key loses its comment', () => {
    const { hostKey } = parseRotateYaml(example, 'rotate.yaml').hosts[0] ?? {};
    const commented = example.replace(String(hostKey), `${hostKey} root@web-1`);
    expect(parseRotateYaml(commented, 'rotate.yaml').hosts[0]?.hostKey).toBe(hostKey);
  });

  test('hosts share defaults by anchors and merge keys', () => {
    const text = `version: 1
environments: { prod: { store: sops } }
hosts:
  web-1: &web { environment: prod, user: deploy, sudo: true, tags: [web] }
  web-2: { <<: *web, port: 2222 }
`;
    expect(parseRotateYaml(text, 'rotate.yaml').hosts[1]).toMatchObject({
      name: 'web-2',
      address: 'web-2',
      port: 2222,
      user: 'deploy',
      sudo: true,
      tags: ['web'],
    });
  });
});

const names = 'use letters, digits, `.`, `_` and `-`, beginning with a letter or a digit';
const hostsHint = 'declare it under `hosts`, or use one of: db-1, lab-1, web-1, web-2';
const inRepo = 'give it as seen from the root of the repo, e.g. `secrets/prod/db-password.age`';
const keyHint = 'copy the type and the key from /etc/ssh/ssh_host_ed25519_key.pub of the host';

function host(fields: string): string {
  return fleet.replace('{ environment: prod }', fields);
}
function policy(fields: string): string {
  return `${fleet}policies:\n  p: { ${fields} }\n`;
}

/** Title; the file, with `▸` where each mistake is told; what is told, in order. */
const mistakes: [string, string, string[]][] = [
  ['a file that is no mapping', '▸hello\n', [': must be a mapping, not a single value']],
  ['no version', '▸hosts: {}\n', ['version: is missing [add `version`]']],
  ['another version', 'version: ▸2\n', ['version: must be 1, the only version that this rotate reads']],
  [
    'a misspelt section',
    'version: 1\n▸host: {}\n',
    ['host: unknown key `host`, did you mean `hosts`? [rename it to `hosts`]'],
  ],
  ['a section that is a list', 'version: 1\nhosts: ▸[]\n', ['hosts: must be a mapping, not a list']],
  [
    'a misspelt key of a policy',
    policy('▸maxfailures: 1'),
    [
      'policies.p.maxfailures: unknown key `maxfailures`, did you mean `maxFailures`? [rename it to `maxFailures`]',
    ],
  ],
  [
    'a misspelt key of a budget',
    policy('budgets: { ▸drian: 1m }'),
    ['policies.p.budgets.drian: unknown key `drian`, did you mean `drain`? [rename it to `drain`]'],
  ],
  [
    'a misspelt key that is required is told once',
    host('{ ▸enviroment: prod }'),
    [
      'hosts.db-1.enviroment: unknown key `enviroment`, did you mean `environment`? [rename it to `environment`]',
    ],
  ],
  [
    'a key that resembles none',
    fleet.replace('version: 1', 'version: 1\n▸xyzzy: 1'),
    ['xyzzy: unknown key `xyzzy` [what can stand here: freezes, policies, repo, schedules, secrets]'],
  ],
  [
    'a misspelt key in a block of a kind',
    secret('', postgres.replace('owner', '▸ownr')),
    ['secrets.prod.db.postgres.ownr: unknown key `ownr`, did you mean `owner`? [rename it to `owner`]'],
  ],
  [
    'a misspelt key where a value may have two shapes',
    secret('', postgres.replace('{ login: app }', '{ ▸hots: db-1, as: postgres }')),
    ['secrets.prod.db.postgres.admin.hots: unknown key `hots`, did you mean `host`? [rename it to `host`]'],
  ],
  [
    'a misspelt key of a probe',
    secret('      verify: [{ ▸htp: "http://x" }]'),
    ['secrets.prod.db.verify[0].htp: unknown key `htp`, did you mean `http`? [rename it to `http`]'],
  ],
  [
    'a misspelt key inside a probe',
    secret('      verify: [{ http: { url: "http://x", ▸stauts: 200 } }]'),
    [
      'secrets.prod.db.verify[0].http.stauts: unknown key `stauts`, did you mean `status`? [rename it to `status`]',
    ],
  ],
  [
    'an environment of agenix without rules',
    'version: 1\nenvironments:\n  ▸prod: { store: agenix }\n',
    [
      'environments.prod: an agenix environment needs `rules` [add `rules:` with the path of its secrets.nix]',
    ],
  ],
  [
    'an environment of sops with rules',
    'version: 1\nenvironments:\n  prod: { store: sops, ▸rules: x.nix }\n',
    ['environments.prod.rules: `rules` is for agenix; sops finds .sops.yaml by itself [remove `rules`]'],
  ],
  [
    'an unknown store',
    'version: 1\nenvironments:\n  prod: { store: ▸agnix, rules: x.nix }\n',
    ['environments.prod.store: must be one of `agenix`, `sops` [did you mean `agenix`?]'],
  ],
  [
    'rules outside the repo',
    'version: 1\nenvironments:\n  prod: { store: agenix, rules: ▸../x.nix }\n',
    [`environments.prod.rules: leads out of the repo [${inRepo}]`],
  ],
  [
    'an unknown policy of an environment',
    fleet.replace('sops }', 'sops, policy: ▸carefull }'),
    [
      'environments.test.policy: unknown policy `carefull`, did you mean `careful`? [declare it under `policies`, or use one of: careful]',
    ],
  ],
  [
    'an unknown policy of a secret',
    secret('      policy: ▸fast'),
    ['secrets.prod.db.policy: unknown policy `fast` [declare it under `policies`, or use one of: careful]'],
  ],
  [
    'an unknown environment of a host',
    host('{ environment: ▸prd }'),
    [
      'hosts.db-1.environment: unknown environment `prd`, did you mean `prod`? [declare it under `environments`, or use one of: prod, test]',
    ],
  ],
  [
    'an unknown environment of secrets',
    `${fleet}secrets:\n  ▸staging: {}\n`,
    [
      'secrets.staging: unknown environment `staging` [declare it under `environments`, or use one of: prod, test]',
    ],
  ],
  [
    'an unknown host in a consumer',
    secret('      consumers: [{ hosts: [▸web-33], units: [a.service] }]'),
    [
      `secrets.prod.db.consumers[0].hosts[0]: unknown host \`web-33\` [${hostsHint}]`.replace(
        '` [',
        '`, did you mean `web-1` or `web-2`? [',
      ),
    ],
  ],
  [
    'a tag written as a host',
    secret('      consumers: [{ hosts: [▸web], units: [a.service] }]'),
    ['secrets.prod.db.consumers[0].hosts[0]: unknown host `web` [for the tag `web`, write "@web"]'],
  ],
  [
    'a host written as a tag',
    secret('      consumers: [{ hosts: [▸"@db-1"], units: [a.service] }]'),
    ['secrets.prod.db.consumers[0].hosts[0]: unknown tag `db-1` [for the host `db-1`, leave out the @]'],
  ],
  [
    'an unknown tag',
    secret('      consumers: [{ hosts: [▸"@wbe"], units: [a.service] }]'),
    [
      'secrets.prod.db.consumers[0].hosts[0]: unknown tag `wbe`, did you mean `web`? [a tag stands under `tags` of some host]',
    ],
  ],
  [
    'a tag that no host of the environment has',
    secret('      consumers: [{ hosts: [▸"@lab"], units: [a.service] }]'),
    [
      'secrets.prod.db.consumers[0].hosts[0]: no host of environment `prod` has the tag `lab` [those that have it: lab-1]',
    ],
  ],
  [
    'a consumer host of another environment',
    secret('      consumers: [{ hosts: [▸lab-1], units: [a.service] }]'),
    [
      'secrets.prod.db.consumers[0].hosts[0]: host `lab-1` is of environment `test`, the secret of `prod` [declare the secret in both environments, with a value of its own in each]',
    ],
  ],
  [
    'an unknown canary',
    policy('canary: [web-1, ▸wbe-2]'),
    [`policies.p.canary[1]: unknown host \`wbe-2\`, did you mean \`web-2\`? [${hostsHint}]`],
  ],
  [
    'an unknown host that builds',
    host('{ environment: prod, build: ▸web-l }'),
    [
      'hosts.db-1.build: unknown host `web-l`, did you mean `web-1` or `web-2`? [`worker`, or the name of a host of this file]',
    ],
  ],
  [
    'an unknown host in a block of a kind',
    secret('', postgres.replace('{ login: app }', '{ host: ▸db-2, as: postgres }')),
    [`secrets.prod.db.postgres.admin.host: unknown host \`db-2\`, did you mean \`db-1\`? [${hostsHint}]`],
  ],
  [
    'an unknown kind',
    secret('').replace('kind: postgres', 'kind: ▸postgers'),
    [
      'secrets.prod.db.kind: unknown kind `postgers`, did you mean `postgres`? [kinds: http, manual, postgres, token]',
    ],
  ],
  [
    'a block of a kind that is not there',
    secret('')
      .replace(/ {4}db:/, '    ▸db:')
      .replace(/ {6}postgres:.*\n/, ''),
    ['secrets.prod.db.postgres: is missing [add `postgres`]'],
  ],
  [
    'a format that cannot say the role, left at its default',
    secret('', twoRoles).replace(/ {4}db:/, '    ▸db:'),
    [
      'secrets.prod.db.format: the format cannot say which role the password belongs to [add a `template` with {role} and {password} to `format`, or name one role only (swap, with a gap)]',
    ],
  ],
  [
    'a template without the role, for two roles',
    secret('      ▸format: { env: X, template: "{{role}}{password}" }', twoRoles),
    [
      'secrets.prod.db.format: the format cannot say which role the password belongs to [add a `template` with {role} and {password} to `format`, or name one role only (swap, with a gap)]',
    ],
  ],
  [
    'a template with a mistake',
    secret('      format: { env: X, template: ▸"{rol}:{password}" }'),
    ['secrets.prod.db.format.template: unknown placeholder {rol}; there are {role} and {password}'],
  ],
  [
    'an unknown format',
    secret('      format: ▸jsn'),
    [
      'secrets.prod.db.format: must be `raw`, `{ env: VARIABLE }`, `{ json: PATH }` or `{ yaml: PATH }`, with or without a `template`',
    ],
  ],
  [
    'a file of two secrets',
    secret(`    db2:\n      kind: postgres\n      file: ▸secrets/db.age\n      postgres: ${postgres}`),
    [
      'secrets.prod.db2.file: `secrets/db.age` is the file of `prod/db` too [give it a file of its own, or use the format `env`, `json` or `yaml` for both, with a place for each]',
    ],
  ],
  [
    'a variable of two secrets',
    secret(
      `      format: { env: A }\n    db2:\n      kind: postgres\n      file: ▸secrets/db.age\n      format: { env: A }\n      postgres: ${postgres}`,
    ),
    [
      'secrets.prod.db2.file: `secrets/db.age` is the file of `prod/db` too [give each a place of its own; both are `A`]',
    ],
  ],
  [
    'a file of two environments',
    secret(
      `  test:\n    db:\n      kind: postgres\n      file: ▸secrets/db.age\n      postgres: ${postgres}`,
    ),
    [
      'secrets.test.db.file: `secrets/db.age` is the file of `prod/db` too [give each environment a file of its own]',
    ],
  ],
  ...(
    [
      ['../db.age', 'leads out of the repo'],
      ['a/../../db.age', 'leads out of the repo'],
      ['/etc/db.age', 'must be relative to the root of the repo'],
      ['~/db.age', 'must be relative to the root of the repo'],
      ['.git/config', 'leads into .git'],
      ['""', 'must not be empty'],
      ['secrets/', 'must be a file, not a folder'],
      ['.', 'must be a file, not a folder'],
      ['"a\\nb"', 'must not contain control characters'],
    ] as const
  ).map(([file, message]): [string, string, string[]] => [
    `the file ${file}`,
    secret('').replace('file: secrets/db.age', `file: ▸${file}`),
    [`secrets.prod.db.file: ${message} [${inRepo}]`],
  ]),
  [
    'a flake outside the repo',
    'version: 1\nrepo: { flake: ▸../infra }\n',
    ['repo.flake: leads out of the repo [`.` is the root of the repo]'],
  ],
  [
    'a branch that is none',
    'version: 1\nrepo: { branch: ▸--force }\n',
    ['repo.branch: is not the name of a branch [for example `main`]'],
  ],
  [
    'a branch of our own',
    'version: 1\nrepo: { branch: ▸rotate-log }\n',
    [
      'repo.branch: `rotate-log` is a branch that rotate itself writes [name the branch that hosts are built from]',
    ],
  ],
  [
    'the name of a host',
    `${fleet}  ▸"web 3": { environment: prod }\n`,
    [`hosts."web 3": \`web 3\` is not a name [${names}]`],
  ],
  [
    'the name of a secret',
    secret('').replace(' db:', ' ▸-db:'),
    [`secrets.prod.-db: \`-db\` is not a name [${names}]`],
  ],
  [
    'the name of a tag',
    host('{ environment: prod, tags: [▸"@db"] }'),
    [`hosts.db-1.tags[0]: \`@db\` is not a name [${names}]`],
  ],
  [
    'a host called worker',
    `${fleet}  ▸worker: { environment: prod }\n`,
    ['hosts.worker: `worker` cannot be a name here: it has a meaning of its own [choose another name]'],
  ],
  [
    'a port out of range',
    host('{ environment: prod, port: ▸70000 }'),
    ['hosts.db-1.port: must be a port number, 1 to 65535'],
  ],
  [
    'a port that is text',
    host('{ environment: prod, port: ▸ssh }'),
    ['hosts.db-1.port: must be a port number'],
  ],
  [
    'a key without a value',
    host('{ environment: prod, ▸user: }'),
    ['hosts.db-1.user: is empty [give it a value, or remove the key]'],
  ],
  [
    'a login that is an option',
    host('{ environment: prod, user: ▸-oProxyCommand=x }'),
    ['hosts.db-1.user: must be a login name'],
  ],
  [
    'an address that is an option',
    host('{ environment: prod, address: ▸-oProxyCommand=x }'),
    [
      'hosts.db-1.address: must be a host name or an IP address [the port has a key of its own, and an IPv6 address needs no brackets]',
    ],
  ],
  [
    'text that is a number',
    host('{ environment: ▸1 }'),
    ['hosts.db-1.environment: must be text, not a number [put it in quotes]'],
  ],
  [
    'yes for true',
    host('{ environment: prod, sudo: ▸yes }'),
    ['hosts.db-1.sudo: must be true or false, not text'],
  ],
  [
    'a host key without its type',
    host('{ environment: prod, hostKey: ▸AAAA }'),
    [
      `hosts.db-1.hostKey: must be \`TYPE KEY\`, where TYPE is one of ssh-ed25519, ssh-rsa, ecdsa-sha2-nistp256, ecdsa-sha2-nistp384, ecdsa-sha2-nistp521 [${keyHint}]`,
    ],
  ],
  [
    'a line of known_hosts as host key',
    host('{ environment: prod, hostKey: ▸db-1 ssh-ed25519 AAAA }'),
    ['hosts.db-1.hostKey: must begin with the type of the key [leave out `db-1`]'],
  ],
  [
    'a host key that is cut short',
    host('{ environment: prod, hostKey: ▸ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAA }'),
    [`hosts.db-1.hostKey: the key is cut short or too long [${keyHint}]`],
  ],
  [
    'a host key of another type than it says',
    host('{ environment: prod, hostKey: ▸ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIAAA }'),
    [`hosts.db-1.hostKey: the key is not of type ssh-rsa, or is cut short [${keyHint}]`],
  ],
  [
    'a unit without a suffix',
    secret('      consumers: [{ hosts: [web-1], units: [▸app] }]'),
    ['secrets.prod.db.consumers[0].units[0]: `app` is not the name of a unit [did you mean `app.service`?]'],
  ],
  [
    'a unit that is a template',
    secret('      consumers: [{ hosts: [web-1], units: [▸app@.service] }]'),
    [
      'secrets.prod.db.consumers[0].units[0]: `app@.service` is a template, not a unit [name an instance, e.g. `app@main.service`]',
    ],
  ],
  [
    'a unit that is listed twice',
    secret(
      '      consumers:\n        - { hosts: ["@web"], units: [a.service] }\n        - { hosts: [web-2], units: [▸a.service], action: reload }',
    ),
    [
      'secrets.prod.db.consumers[1].units[0]: unit `a.service` is listed twice for host `web-2` [name each unit of a host once, with one action]',
    ],
  ],
  [
    'consumers without hosts',
    secret('      consumers: [{ hosts: ▸[], units: [a.service] }]'),
    ['secrets.prod.db.consumers[0].hosts: must have at least 1 entry'],
  ],
  [
    'an unknown action',
    secret('      consumers: [{ hosts: [web-1], units: [a.service], action: ▸relaod }]'),
    [
      'secrets.prod.db.consumers[0].action: must be one of `restart`, `reload`, `none` [did you mean `reload`?]',
    ],
  ],
  [
    'an empty probe',
    secret('      verify: [▸{}]'),
    [
      'secrets.prod.db.verify[0]: says nothing to probe [each entry has exactly one of `http`, `tcp` and `command`]',
    ],
  ],
  [
    'two probes in one',
    secret('      verify: [▸{ tcp: "a:1", command: x }]'),
    [
      'secrets.prod.db.verify[0]: says more than one probe [each entry has exactly one of `http`, `tcp` and `command`]',
    ],
  ],
  [
    'a probe URL that is none',
    secret('      verify: [{ http: ▸localhost:80 }]'),
    [
      'secrets.prod.db.verify[0].http: must be an http or https URL [for example `http://127.0.0.1:8080/health`]',
    ],
  ],
  [
    'a probe URL with a login',
    secret('      verify: [{ http: ▸"http://a:b@x/" }]'),
    [
      'secrets.prod.db.verify[0].http: must not contain a login [this file is in the repo: use a path that needs none, or a `command` probe]',
    ],
  ],
  [
    'a tcp probe without a port',
    secret('      verify: [{ tcp: ▸localhost }]'),
    ['secrets.prod.db.verify[0].tcp: must be `host:port` [for example `127.0.0.1:5432` or `[::1]:5432`]'],
  ],
  [
    'a timeout of a probe that has none',
    secret('      verify: [{ tcp: "a:1", ▸timeout: 5s }]'),
    ['secrets.prod.db.verify[0].timeout: `timeout` is for `command` only [remove `timeout`]'],
  ],
  [
    'a duration without a unit',
    policy('soak: ▸10'),
    ['policies.p.soak: must be a duration such as `5s`, `10m`, `1h30m` or `90d`'],
  ],
  [
    'a duration with an unknown unit',
    policy('soak: ▸5x'),
    ['policies.p.soak: must be a duration such as `5s`, `10m`, `1h30m` or `90d`'],
  ],
  ['no dead man', policy('deadMan: ▸0'), ['policies.p.deadMan: must be at least 1s']],
  [
    'a wave of none',
    policy('waves: [▸0, 100%]'),
    ['policies.p.waves[0]: must be a number of hosts, or a percentage such as `25%`'],
  ],
  [
    'a wave beyond all',
    policy('waves: [▸150%]'),
    ['policies.p.waves[0]: must be a number of hosts, or a percentage such as `25%`'],
  ],
  [
    'waves that do not rise',
    policy('waves: [1, 50%, ▸25%]'),
    [
      'policies.p.waves[2]: `25%` does not reach further than `50%` before it [percentages are of all hosts and add up, e.g. [1, 25%, 100%]]',
    ],
  ],
  [
    'a wave after all',
    policy('waves: [100%, ▸3]'),
    ['policies.p.waves[1]: nothing is left for a wave after 100% [end with `100%`]'],
  ],
  ['no parallel hosts', policy('parallel: ▸0'), ['policies.p.parallel: must be a whole number, 1 or more']],
  [
    'negative failures',
    policy('maxFailures: ▸-1'),
    ['policies.p.maxFailures: must be a whole number, 0 or more'],
  ],
  [
    'a duplicate key',
    `${fleet}hosts: {}\n`.replace(/\nhosts: \{\}/, '\n▸hosts: {}'),
    ['hosts: duplicate key `hosts` [it stands already in line 5]'],
  ],
];

describe('each mistake is told with its line, column, key path and hint', () => {
  test.each(mistakes)('%s', (_title, marked, expected) => {
    const { text, places } = unmark(marked);
    const { problems } = read(text);
    expect(problems.map(told)).toEqual(expected);
    expect(placesOf(problems)).toEqual(places);
  });
});

describe('several mistakes', () => {
  const { text, places } = unmark(`version: 1
environments:
  prod: { store: agenix, rules: s.nix, ▸polcy: x }
hosts:
  web-1: { environment: prod, port: ▸0, tags: [web] }
secrets:
  prod:
    db:
      kind: postgres
      file: ▸../db.age
      postgres: { roles: [a], owner: o, ▸databse: app, admin: { login: x }, endpoints: [▸db-1] }
      consumers:
        - { hosts: [▸web-2, "@web"], units: [▸app] }
policies:
  careful: { soak: ▸1 minute }
`);

  test('are all told at once, by line', () => {
    expect(placesOf(read(text).problems)).toEqual(places);
  });

  test('are one error, a line each as file:line:column: key.path: message, with the hints between them', () => {
    const error = errorOf(() => parseRotateYaml(text, 'infra/rotate.yaml'));
    expect(error.type).toBe('BadConfig');
    expect(error.hint).toBe('correct these 8 places in infra/rotate.yaml');
    expect(error.message.split('\n').slice(0, 3)).toEqual([
      'infra/rotate.yaml:3:40: environments.prod.polcy: unknown key `polcy`, did you mean `policy`?',
      '    hint: rename it to `policy`',
      'infra/rotate.yaml:5:37: hosts.web-1.port: must be a port number, 1 to 65535',
    ]);
    expect(error.details?.['problems']).toHaveLength(8);
  });

  test('of which there is one give its hint as the hint of the error', () => {
    const error = errorOf(() => parseRotateYaml(policy('maxfailures: 1'), 'rotate.yaml'));
    expect(error.message).toBe(
      'rotate.yaml:11:8: policies.p.maxfailures: unknown key `maxfailures`, did you mean `maxFailures`?',
    );
    expect(error.hint).toBe('rename it to `maxFailures`');
  });
});

describe('a canary', () => {
  test('of no environment that uses the policy is a warning, not a mistake', () => {
    const { problems, warnings } = read(secret('policies:\n  careful: { canary: [lab-1] }'));
    expect(problems).toEqual([]);
    expect(warnings.map(told)).toEqual([
      'policies.careful.canary: no canary is of environment `prod`: its rotations begin without one [add a host of `prod`, or give its secrets another policy]',
    ]);
  });

  test('may be a tag', () => {
    const text = secret('policies:\n  careful: { canary: ["@web"] }');
    expect(parseRotateYaml(text, 'rotate.yaml').secrets[0]?.policy.canary).toEqual(['web-1', 'web-2']);
  });
});
