/** More secrets for the example's fleet, one for each shape of rotation that is not the example's own. */
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { commit, deploy, sql, type Example } from '../../infra/fleet/example.js';
import { run } from '../../infra/fleet/run.js';

/** Logs in with what its file holds when it starts, keeps the connection, and ends when it is lost. */
function loginScript(role: string): string {
  return `set -eu
PGPASSWORD=$(cat "$CREDENTIAL") PGUSER=${role} PGHOST=db-1 PGDATABASE=app PGAPPNAME=${role} PGCONNECT_TIMEOUT=5
export PGPASSWORD PGUSER PGHOST PGDATABASE PGAPPNAME PGCONNECT_TIMEOUT
{ while sleep 1; do echo 'SELECT 1;'; done; } | exec /usr/lib/postgresql/17/bin/psql -X -q -v ON_ERROR_STOP=1 -o /dev/null
`;
}

function loginService(secret: string, more: object = {}): object {
  return {
    wantedBy: ['multi-user.target'],
    unitConfig: { StartLimitIntervalSec: '0' },
    environment: { CREDENTIAL: `@path:${secret}@` },
    serviceConfig: {
      User: 'app',
      ExecStart: `/bin/sh @script:${secret}@`,
      Restart: 'on-failure',
      RestartSec: '1',
    },
    ...more,
  };
}

/** What the web unit's file holds beside the secrets; must survive every rotation byte for byte. */
export const webYaml = (session: string, csrf: string): string =>
  `# settings of the web app\nsession:\n  keys: ["${session}"]   # newest first\n  cookie: sid\ncsrf:\n  key: ${csrf}\nlimits: { uploads: 10, "per day": 100 }\n`;

const file = (name: string): string => `secrets/prod/${name}.age`;
const appFile = (name: string): object => ({ file: file(name), owner: 'app', group: 'app', mode: '0400' });
const postgresOf = (role: string): object => ({
  roles: [role],
  database: 'app',
  admin: { host: 'db-1', as: 'postgres' },
  endpoints: ['db-1:5432'],
});

type Hosts = Record<string, Record<string, Record<string, unknown>>>;

/** Adds the secrets `solo`, `inited`, `session`, `csrf` and `internal`, and deploys them. */
export async function addShapes(example: Example): Promise<void> {
  const { clone, env } = example;
  const value = (): string => `v${randomBytes(16).toString('hex')}`;
  const solo = value();
  const inited = value();

  const rules = join(clone, 'secrets/prod/secrets.nix');
  const keys = /\[\n([\s\S]*?)\n {2}\]/.exec(await readFile(rules, 'utf8'))?.[1] ?? '';
  const db = `    ${JSON.stringify(example.lab.host(example.inventory, 'db-1').hostKey)}`;
  const names = ['db-password', 'solo', 'inited', 'web', 'internal'];
  const rule = (name: string): string => `  "${name}.age".publicKeys = [\n${keys}\n${db}\n  ];\n`;
  await writeFile(rules, `{\n${names.map(rule).join('')}}\n`);
  const recipients = [...`${keys}\n${db}`.matchAll(/"([^"]+)"/g)].flatMap((m) => ['-r', m[1] ?? '']);
  const seal = (name: string, content: string): Promise<unknown> =>
    run('age', [...recipients, '-o', join(clone, file(name))], { input: content, env });
  await seal('solo', solo);
  await seal('inited', inited);
  await seal('web', webYaml(value(), value()));
  await seal('internal', `INTERNAL_TOKEN=${value()}\nOTHER=kept\n`);

  const hosts: Hosts = JSON.parse(await readFile(join(clone, 'hosts.json'), 'utf8'));
  for (const name of ['web-1', 'web-2']) {
    const host = (hosts[name] ??= {});
    host['secrets'] = {
      ...host['secrets'],
      solo: appFile('solo'),
      web: appFile('web'),
      internal: appFile('internal'),
    };
    host['scripts'] = { ...host['scripts'], solo: loginScript('solo') };
    host['services'] = {
      ...host['services'],
      // On one host the switch itself restarts it, on the other rotate does.
      solo: loginService('solo', name === 'web-1' ? { restartTriggers: ['@file:solo@'] } : {}),
      web: {
        wantedBy: ['multi-user.target'],
        serviceConfig: {
          User: 'app',
          ExecStart: '/usr/bin/sleep infinity',
          EnvironmentFile: '@path:internal@',
        },
      },
    };
  }
  const web1 = (hosts['web-1'] ??= {});
  web1['secrets'] = { ...web1['secrets'], inited: appFile('inited') };
  web1['scripts'] = { ...web1['scripts'], inited: loginScript('inited') };
  web1['services'] = { ...web1['services'], inited: loginService('inited') };
  const db1 = (hosts['db-1'] ??= {});
  db1['secrets'] = { inited: { file: file('inited'), owner: 'postgres', group: 'postgres', mode: '0400' } };
  db1['postgresql'] = {
    ...db1['postgresql'],
    // What many configurations do: the server's start sets the password from the file. It stands in argv for a moment,
    // which is that script's own affair; the log is spared, so that it can be searched for the rest.
    postStart: `PGOPTIONS='-c log_statement=none -c log_min_duration_statement=-1' $PSQL -tAc "ALTER USER inited PASSWORD '$(cat @path:inited@)'"`,
    restartTriggers: ['@file:inited@'],
  };
  await writeFile(join(clone, 'hosts.json'), `${JSON.stringify(hosts, null, 2)}\n`);

  const config: { secrets: { prod: Record<string, unknown> } } = parse(
    await readFile(join(clone, 'rotate.yaml'), 'utf8'),
  );
  const web = { hosts: ['@web'], units: ['web.service'] };
  Object.assign(config.secrets.prod, {
    solo: {
      kind: 'postgres',
      file: file('solo'),
      postgres: postgresOf('solo'),
      consumers: [{ hosts: ['@web'], units: ['solo.service'] }],
    },
    inited: {
      kind: 'postgres',
      file: file('inited'),
      postgres: postgresOf('inited'),
      consumers: [
        { hosts: ['db-1'], units: ['postgresql.service'] },
        { hosts: ['web-1'], units: ['inited.service'] },
      ],
    },
    session: {
      kind: 'token',
      file: file('web'),
      format: { yaml: 'session.keys', list: true },
      token: { hex: 24, keepOld: '3s' },
      consumers: [web],
    },
    csrf: {
      kind: 'token',
      file: file('web'),
      format: { yaml: 'csrf.key' },
      token: { words: 12 },
      consumers: [web],
    },
    internal: {
      kind: 'token',
      file: file('internal'),
      format: { env: 'INTERNAL_TOKEN' },
      token: { alphabet: 'alphanumeric', length: 40 },
      consumers: [web],
    },
  });
  await writeFile(join(clone, 'rotate.yaml'), stringify(config));

  await sql(
    example,
    `SET log_statement = 'none'; SET log_min_duration_statement = -1;
     CREATE ROLE solo LOGIN PASSWORD '${solo}'; CREATE ROLE inited LOGIN PASSWORD '${inited}';`,
  );
  await commit(example, 'Describe secrets of other shapes');
  await deploy(example, 'db-1');
  await Promise.all(['web-1', 'web-2'].map((name) => deploy(example, name)));
}

/** The content of a secret file as main has it now. */
export async function contentOf(example: Example, name: string): Promise<string> {
  const { clone, env, state } = example;
  await run('git', ['fetch', '--quiet', 'origin', 'main'], { cwd: clone, env });
  const { stdout } = await run(
    'sh',
    ['-c', 'git show "FETCH_HEAD:$1" | age -d -i "$2"', 'sh', file(name), state.identityFile],
    { cwd: clone, env },
  );
  return stdout;
}
