/**
 * A fleet of any size for benchmarks: a PostgreSQL host, hosts that all run the same services, and as many secrets as
 * wanted, each an environment file of its own with a credential of two roles that take turns.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import {
  commit,
  deploy,
  makeRepos,
  sql,
  writeWorkerConfig,
  type Example,
} from '../../infra/fleet/example.js';
import { Lab } from '../../infra/fleet/lab.js';
import { run } from '../../infra/fleet/run.js';

export interface BenchFleet extends Example {
  /** Hosts that install every secret and run a unit for each. */
  hosts: readonly string[];
  secrets: readonly BenchSecret[];
  /** Takes all of it away. */
  remove(): Promise<void>;
}

export interface BenchSecret {
  /** Also of its unit, without `.service`. */
  name: string;
  /** In the repo. */
  file: string;
  roles: readonly [string, string];
  owner: string;
}

export interface BenchFleetOptions {
  /** Of the lab; `bench-` is put before it. */
  name: string;
  hosts: number;
  secrets: number;
  log: (line: string) => void;
}

/**
 * What a rotation waits for, as the script by hand does, and as many hosts at once as the largest fleet has: the usual 10
 * would watch the units of the last 6 after those of the others. All else are the defaults, the three waves among them.
 */
export const policy = { soak: 0, proveAgain: 0, parallel: 16 };
/** `stable` of the default policy. */
export const stableSeconds = 5;

export const database = 'db-1';
export const variable = 'DATABASE_URL';
export const rules = 'secrets/prod/secrets.nix';

export async function makeFleet(options: BenchFleetOptions): Promise<BenchFleet> {
  const { log } = options;
  const lab = new Lab(`bench-${options.name}`);
  const folder = join(tmpdir(), `rotate-bench-${options.name}`);
  const remove = async (): Promise<void> => {
    await lab.down();
    await rm(folder, { recursive: true, force: true });
  };
  await remove();
  try {
    log(`booting ${options.hosts} hosts and ${database}`);
    const hosts = numbered('web', options.hosts, 1);
    await lab.up(database, ...hosts);
    const repos = await makeRepos(folder, lab);
    const secrets = numbered('app', options.secrets, 2).map((name): BenchSecret => {
      const owner = name.replace('-', '');
      return { name, file: `secrets/prod/${name}.age`, roles: [`${owner}_a`, `${owner}_b`], owner };
    });
    const fleet: BenchFleet = { ...repos, hosts, secrets, remove };
    const passwords = await writeRepo(fleet);
    await writeWorkerConfig(fleet);
    await commit(fleet, 'Describe the fleet');
    log(`deploying ${options.secrets} secrets to ${options.hosts} hosts`);
    await deploy(fleet, database);
    await makeRoles(fleet, passwords);
    await Promise.all(lanes(hosts, 4).map((lane) => deploy(fleet, ...lane)));
    return fleet;
  } catch (error) {
    await remove();
    throw error;
  }
}

function numbered(word: string, count: number, digits: number): string[] {
  return Array.from({ length: count }, (_, i) => `${word}-${String(i + 1).padStart(digits, '0')}`);
}

function lanes<T>(items: readonly T[], count: number): T[][] {
  return Array.from({ length: count }, (_, lane) => items.filter((_item, i) => i % count === lane));
}

/** Everything that the flake's repo holds. The result: the first password of each secret. */
async function writeRepo(fleet: BenchFleet): Promise<Map<string, string>> {
  const { clone, inventory, lab, hosts, secrets, state } = fleet;
  const worker = /public key: (age1\S+)/.exec(await readFile(state.identityFile, 'utf8'))?.[1] ?? '';
  const keys = [worker, ...hosts.map((name) => lab.host(inventory, name).hostKey)];
  await mkdir(join(clone, 'secrets', 'prod'), { recursive: true });
  const rule = ({ name }: BenchSecret): string => `  "${name}.age".publicKeys = readers;\n`;
  await writeFile(
    join(clone, rules),
    `let\n  readers = [\n${keys.map((key) => `    ${JSON.stringify(key)}\n`).join('')}  ];\nin {\n${secrets.map(rule).join('')}}\n`,
  );
  const passwords = new Map<string, string>();
  for (const { name, file, roles } of secrets) {
    const password = randomBytes(18).toString('base64url').replaceAll(/[-_]/g, 'x');
    passwords.set(name, password);
    const url = `postgresql://${roles[0]}:${password}@${database}:5432/app`;
    await run('age', [...keys.flatMap((key) => ['-r', key]), '-o', join(clone, file)], {
      input: `# made by hand, keep this line\n${variable}=${url}\nLOG_LEVEL=info\n`,
    });
  }
  await writeFile(join(clone, 'hosts.json'), `${JSON.stringify(describeHosts(fleet), null, 2)}\n`);
  await writeFile(join(clone, 'rotate.yaml'), stringify(rotateYaml(fleet)));
  return passwords;
}

/** Keeps one connection, as a pool does, and ends when it is lost. */
const appScript = `set -eu
url=\${${variable}#postgresql://}
PGUSER=\${url%%:*} rest=\${url#*:}
PGPASSWORD=\${rest%%@*} rest=\${rest#*@}
PGHOST=\${rest%%:*} rest=\${rest#*:}
PGPORT=\${rest%%/*} PGDATABASE=\${rest#*/}
export PGUSER PGPASSWORD PGHOST PGPORT PGDATABASE PGAPPNAME=app PGCONNECT_TIMEOUT=5
unset ${variable} url rest
{ while sleep 5; do echo 'SELECT 1;'; done; } | exec /usr/lib/postgresql/17/bin/psql -X -q -v ON_ERROR_STOP=1 -o /dev/null
`;

function describeHosts({ hosts, secrets }: BenchFleet): unknown {
  const service = ({ name }: BenchSecret): object => ({
    description: `${name}, which uses the database`,
    wantedBy: ['multi-user.target'],
    unitConfig: { StartLimitIntervalSec: '0' },
    serviceConfig: {
      User: 'app',
      EnvironmentFile: `@path:${name}@`,
      ExecStart: '/bin/sh @script:app@',
      Restart: 'on-failure',
      RestartSec: '1',
    },
  });
  const host = {
    secrets: Object.fromEntries(
      secrets.map(({ name, file }) => [name, { file, owner: 'app', group: 'app', mode: '0400' }]),
    ),
    scripts: { app: appScript },
    services: Object.fromEntries(secrets.map((secret) => [secret.name, service(secret)])),
  };
  return {
    [database]: {
      postgresql: { settings: { max_connections: '400' }, initialScript: 'CREATE DATABASE app;' },
    },
    ...Object.fromEntries(hosts.map((name) => [name, host])),
  };
}

function rotateYaml({ inventory, lab, hosts, secrets }: BenchFleet): unknown {
  const host = (name: string, more: object = {}): [string, unknown] => {
    const { address, hostKey } = lab.host(inventory, name);
    return [name, { environment: 'prod', address, hostKey, ...more }];
  };
  const secret = ({ name, file, roles, owner }: BenchSecret): [string, unknown] => [
    name,
    {
      kind: 'postgres',
      file,
      format: { env: variable, template: `postgresql://{role}:{password}@${database}:5432/app` },
      postgres: {
        roles,
        owner,
        database: 'app',
        admin: { host: database, as: 'postgres' },
        endpoints: [`${database}:5432`],
      },
      consumers: [{ hosts: ['@web'], units: [`${name}.service`] }],
    },
  ];
  return {
    version: 1,
    environments: { prod: { store: 'agenix', rules, policy: 'bench' } },
    hosts: Object.fromEntries([host(database), ...hosts.map((name) => host(name, { tags: ['web'] }))]),
    secrets: { prod: Object.fromEntries(secrets.map(secret)) },
    policies: { bench: policy },
  };
}

async function makeRoles(fleet: BenchFleet, passwords: ReadonlyMap<string, string>): Promise<void> {
  const statements = fleet.secrets.map(
    ({ name, owner, roles: [first, second] }) => `CREATE ROLE ${owner} NOLOGIN;
CREATE ROLE ${first} LOGIN IN ROLE ${owner} PASSWORD '${passwords.get(name) ?? ''}';
CREATE ROLE ${second} NOLOGIN IN ROLE ${owner};`,
  );
  await sql(fleet, statements.join('\n'));
}
