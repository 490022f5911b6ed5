/**
 * A whole example: a lab of four hosts, the bare repo of their flake with one
 * agenix secret, PostgreSQL with two roles, an app that uses it, and the worker's
 * configuration. The demo and the end-to-end tests begin with it.
 */
import { randomBytes } from 'node:crypto';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { ensureDevKeys } from '../../worker/keys.js';
import type { DevState } from '../../client/dev-state.js';
import { projectRoot, type Inventory, type Lab } from './lab.js';
import { run } from './run.js';

export const appHosts = ['web-1', 'web-2', 'test-vm'] as const;

export type AppHost = (typeof appHosts)[number];

export interface ExampleOptions {
  /** Folder that holds all of it but the lab's own state. */
  folder: string;
  lab: Lab;
  /** Hosts with the app; default: all. */
  appHosts?: readonly AppHost[];
  /** Overrides of the policy, as in rotate.yaml. */
  policy?: Record<string, unknown>;
  /** More of the user's own probes, as in rotate.yaml. */
  probes?: readonly unknown[];
  log?: (line: string) => void;
}

export interface Example {
  folder: string;
  lab: Lab;
  inventory: Inventory;
  appHosts: readonly AppHost[];
  /** The operator's clone; `rotate` is run here. */
  clone: string;
  /** The remote that the worker works on. */
  bare: string;
  state: DevState;
  /** Environment for `rotate dev` and `rotate`. */
  env: NodeJS.ProcessEnv;
}

/** What the app's file holds beside the credential; must survive every rotation. */
export const otherLines = ['# made by hand, keep this line', 'LOG_LEVEL=info', "GREETING='hello, world'"];

const variable = 'DATABASE_URL';

export async function makeExample(options: ExampleOptions): Promise<Example> {
  const { folder, lab } = options;
  const log = options.log ?? (() => {});
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });

  const names = options.appHosts ?? appHosts;
  log(`booting db-1 and ${names.join(', ')}`);
  await lab.up('db-1', ...names);
  const example = await makeRepos(folder, lab, names);
  await writeRepo(example, options);
  await writeWorkerConfig(example);
  await commit(example, 'Describe the fleet');

  log('deploying the first generation');
  await deploy(example, 'db-1');
  await setFirstPassword(example);
  // After the password, or the apps would give up before it is there.
  await Promise.all(names.map((name) => deploy(example, name)));
  return example;
}

/**
 * An operator's home with a clone of the lab's flake, its remote and the keys of `rotate dev`; the hosts are up.
 * @param names of hosts with the app
 */
export async function makeRepos(folder: string, lab: Lab, names: readonly AppHost[] = []): Promise<Example> {
  const home = join(folder, 'home');
  await mkdir(home, { recursive: true, mode: 0o700 });
  await writeFile(
    join(home, '.gitconfig'),
    '[user]\n\tname = Operator\n\temail = operator@example.org\n[init]\n\tdefaultBranch = main\n',
  );
  const env: NodeJS.ProcessEnv = {
    ...(await lab.environment()),
    XDG_STATE_HOME: join(folder, 'state'),
    HOME: home,
    GIT_CONFIG_NOSYSTEM: '1',
  };
  delete env['SSH_AUTH_SOCK'];
  const clone = join(folder, 'infra');
  const bare = join(folder, 'infra.git');
  await run('git', ['init', '--quiet', '--bare', '--initial-branch=main', bare]);
  await run('git', ['clone', '--quiet', bare, clone], { env });
  await cp(join(projectRoot, 'infra', 'lab', 'flake'), clone, { recursive: true });
  const state = await ensureDevKeys(clone, env);
  return { folder, lab, inventory: await lab.inventory(), appHosts: names, clone, bare, state, env };
}

/** First password of `app_a`; made here, known to the fleet's file and to PostgreSQL. */
async function writeRepo(example: Example, options: ExampleOptions): Promise<void> {
  const { clone, inventory, lab, state } = example;
  const recipient = /public key: (age1\S+)/.exec(await readFile(state.identityFile, 'utf8'))?.[1] ?? '';
  const keyOf = (name: string): string => lab.host(inventory, name).hostKey;
  const publicKeys = [recipient, ...example.appHosts.map(keyOf)]
    .map((key) => `    ${JSON.stringify(key)}`)
    .join('\n');
  await mkdir(join(clone, 'secrets', 'prod'), { recursive: true });
  await writeFile(
    join(clone, 'secrets', 'prod', 'secrets.nix'),
    `{\n  "db-password.age".publicKeys = [\n${publicKeys}\n  ];\n}\n`,
  );
  const password = randomBytes(18).toString('base64url').replaceAll(/[-_]/g, 'x');
  await writeFile(join(example.folder, 'first-password'), password, { mode: 0o600 });
  const [first = '', ...rest] = otherLines;
  const content = [first, `${variable}=postgresql://app_a:${password}@db-1:5432/app`, ...rest, ''].join('\n');
  const recipients = [recipient, ...example.appHosts.map(keyOf)].flatMap((key) => ['-r', key]);
  await run('age', [...recipients, '-o', join(clone, 'secrets', 'prod', 'db-password.age')], {
    input: content,
  });
  await writeFile(join(clone, 'hosts.json'), `${JSON.stringify(describeHosts(example), null, 2)}\n`);
  await writeFile(join(clone, 'rotate.yaml'), stringify(rotateYaml(example, options)));
}

function rotateYaml(example: Example, { policy = {}, probes = [] }: ExampleOptions): unknown {
  const { inventory, lab } = example;
  const special: Partial<Record<AppHost, Record<string, unknown>>> = {
    'web-1': { tags: ['web'] },
    // Not every fleet lets root in.
    'web-2': { tags: ['web'], user: 'deploy', sudo: true },
  };
  const host = (name: string, more: Record<string, unknown> = {}): [string, unknown] => {
    const { address, hostKey } = lab.host(inventory, name);
    return [name, { environment: 'prod', address, hostKey, ...more }];
  };
  return {
    version: 1,
    environments: { prod: { store: 'agenix', rules: 'secrets/prod/secrets.nix', policy: 'quick' } },
    hosts: Object.fromEntries([host('db-1'), ...example.appHosts.map((name) => host(name, special[name]))]),
    secrets: {
      prod: {
        'db-password': {
          kind: 'postgres',
          file: 'secrets/prod/db-password.age',
          format: { env: variable, template: 'postgresql://{role}:{password}@db-1:5432/app' },
          postgres: {
            roles: ['app_a', 'app_b'],
            owner: 'app',
            database: 'app',
            admin: { host: 'db-1', as: 'postgres' },
            endpoints: ['db-1:5432'],
          },
          consumers: [{ hosts: ['@web', 'test-vm'], units: ['app.service'], action: 'restart' }],
          verify: [{ tcp: 'db-1:5432' }, ...probes],
        },
      },
    },
    policies: {
      quick: {
        canary: ['test-vm'],
        waves: [1, '100%'],
        parallel: 10,
        maxFailures: 0,
        stable: '2s',
        soak: '3s',
        proveAgain: '3s',
        deadMan: '30s',
        ...policy,
      },
    },
  };
}

/**
 * The app keeps one connection, as a pool does, and ends when it is lost. It reads its file at start only, by
 * EnvironmentFile; the password reaches psql by its environment.
 */
const appScript = `set -eu
url=\${DATABASE_URL#postgresql://}
PGUSER=\${url%%:*} rest=\${url#*:}
PGPASSWORD=\${rest%%@*} rest=\${rest#*@}
PGHOST=\${rest%%:*} rest=\${rest#*:}
PGPORT=\${rest%%/*} PGDATABASE=\${rest#*/}
export PGUSER PGPASSWORD PGHOST PGPORT PGDATABASE PGAPPNAME=app PGCONNECT_TIMEOUT=5
unset DATABASE_URL url rest
{ while sleep 1; do echo 'SELECT 1;'; done; } | exec /usr/lib/postgresql/17/bin/psql -X -q -v ON_ERROR_STOP=1 -o /dev/null
`;

function describeHosts(example: Example): unknown {
  const app = {
    secrets: {
      'db-password': { file: 'secrets/prod/db-password.age', owner: 'app', group: 'app', mode: '0400' },
    },
    scripts: { app: appScript },
    services: {
      app: {
        description: 'an app that uses the database',
        wantedBy: ['multi-user.target'],
        // It may have to wait for its database; systemd gives up after five starts in ten seconds otherwise.
        unitConfig: { StartLimitIntervalSec: '0' },
        serviceConfig: {
          User: 'app',
          EnvironmentFile: '@path:db-password@',
          ExecStart: '/bin/sh @script:app@',
          Restart: 'on-failure',
          RestartSec: '1',
        },
      },
    },
  };
  return {
    'db-1': {
      postgresql: {
        settings: { log_statement: 'all', log_min_duration_statement: '0', log_connections: 'on' },
        initialScript: [
          'CREATE ROLE app NOLOGIN;',
          'CREATE ROLE app_a LOGIN IN ROLE app;',
          'CREATE ROLE app_b NOLOGIN IN ROLE app;',
          'CREATE DATABASE app OWNER app;',
        ].join('\n'),
      },
    },
    ...Object.fromEntries(example.appHosts.map((name) => [name, app])),
  };
}

/** The worker.yaml of a fleet on the lab. */
export async function writeWorkerConfig({ folder, bare, state, inventory }: Example): Promise<void> {
  const config = {
    version: 1,
    repo: bare,
    state: join(folder, 'worker'),
    identities: [state.identityFile],
    codecKeys: [state.codecKeyFile],
    ssh: { identityFile: inventory.identityFile, knownHosts: inventory.knownHosts },
  };
  await writeFile(state.workerConfig, stringify(config), { mode: 0o600 });
}

/** Commits all changes in the operator's clone and pushes main. */
export async function commit(example: Example, message: string): Promise<string> {
  const git = (...args: string[]): ReturnType<typeof run> =>
    run('git', args, { cwd: example.clone, env: example.env });
  await git('add', '--all');
  await git('commit', '--quiet', '--allow-empty', '-m', message);
  await git('push', '--quiet', 'origin', 'HEAD:main');
  return (await git('rev-parse', 'HEAD')).stdout.trim();
}

/** `nixos-rebuild switch` of the clone's HEAD, as an operator does it. */
export async function deploy(example: Example, ...names: string[]): Promise<void> {
  const head = (await run('git', ['rev-parse', 'HEAD'], { cwd: example.clone })).stdout.trim();
  for (const name of names) {
    await run(
      'nixos-rebuild',
      [
        'switch',
        '--flake',
        `git+file://${example.clone}?rev=${head}#${name}`,
        '--target-host',
        `root@${name}`,
      ],
      { cwd: example.folder, env: example.env },
    );
  }
}

/** PostgreSQL on db-1, as its administrator; the statement goes by standard input. */
export async function sql(example: Example, statement: string, database = 'postgres'): Promise<string> {
  const { stdout } = await example.lab.ssh(
    'db-1',
    `runuser -u postgres -- /usr/lib/postgresql/17/bin/psql -X -q -A -t -v ON_ERROR_STOP=1 -d ${database}`,
    { input: statement },
  );
  return stdout.trim();
}

async function setFirstPassword(example: Example): Promise<void> {
  const password = await readFile(join(example.folder, 'first-password'), 'utf8');
  await sql(
    example,
    `SET log_statement = 'none'; SET log_min_duration_statement = -1;\nALTER ROLE app_a PASSWORD '${password}';`,
  );
  await rm(join(example.folder, 'first-password'));
}

/** The content of the secret as main has it now, opened with the worker's identity. */
export async function readSecret(example: Example): Promise<string> {
  const { clone, env, state } = example;
  await run('git', ['fetch', '--quiet', 'origin', 'main'], { cwd: clone, env });
  const blob = join(example.folder, 'blob.age');
  await run('sh', ['-c', 'git show FETCH_HEAD:secrets/prod/db-password.age > "$1"', 'sh', blob], {
    cwd: clone,
    env,
  });
  const { stdout } = await run('age', ['-d', '-i', state.identityFile, blob]);
  await rm(blob);
  return stdout;
}

/** Role and password in a content of the app's file. */
export function parseContent(content: string): { role: string; password: string } {
  const match = /^DATABASE_URL=postgresql:\/\/([^:]+):([^@]+)@/m.exec(content);
  if (match?.[1] === undefined || match[2] === undefined) throw new Error('the file holds no DATABASE_URL');
  return { role: match[1], password: decodeURIComponent(match[2]) };
}
