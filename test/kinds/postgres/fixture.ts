/** Two roles and their owner on a server, ready to be rotated. */
import { escapeIdentifier, escapeLiteral } from 'pg';
import { RotateError } from '../../../domain/failure.js';
import type { RemoteHost } from '../../../domain/remote.js';
import { SecretValue } from '../../../domain/secret-value.js';
import type { PostgresSettings } from '../../../kinds/postgres/schema.js';
import type { KindFixture } from '../contract.js';
import { noCommand } from '../no-command.js';
import { hostAccess, localHost } from './local-host.js';
import type { PostgresServer } from './server.js';

export const superuserPassword = 'superuser-pw';
export const oldPassword = 'the-old-password-of-app-a';

export interface Names {
  roles: [string, string];
  owner: string;
  database: string;
}
export const plainNames: Names = { roles: ['app_a', 'app_b'], owner: 'app', database: 'app' };

/** What docs/kinds/postgres.md tells people to run. */
export function setUp({ roles: [a, b], owner, database }: Names): string[] {
  const [qa, qb, qo, qd] = [a, b, owner, database].map(escapeIdentifier);
  return [
    `DROP DATABASE IF EXISTS ${qd}`,
    `DROP ROLE IF EXISTS ${qa}, ${qb}, ${qo}`,
    `CREATE ROLE ${qo} NOLOGIN`,
    `CREATE ROLE ${qa} LOGIN IN ROLE ${qo} PASSWORD ${escapeLiteral(oldPassword)}`,
    `CREATE ROLE ${qb} NOLOGIN IN ROLE ${qo}`,
    `ALTER ROLE ${qa} SET role TO ${qo}`,
    `ALTER ROLE ${qb} SET role TO ${qo}`,
    `CREATE DATABASE ${qd} OWNER ${qo}`,
  ];
}

export type Way = 'host' | 'login';

export function settingsFor(server: PostgresServer, way: Way, names: Names = plainNames): PostgresSettings {
  return {
    ...names,
    admin: way === 'host' ? { host: 'db-1', as: server.user } : { login: 'app-admin' },
    endpoints: [`localhost:${server.port}`, `127.0.0.1:${server.port}`],
  };
}

export async function fixture(
  server: PostgresServer,
  way: Way,
  names: Names = plainNames,
  hosts: readonly RemoteHost[] = [localHost('db-1'), localHost('web-1')],
): Promise<KindFixture<PostgresSettings>> {
  await server.sql([...setUp(names), `ALTER ROLE postgres PASSWORD ${escapeLiteral(superuserPassword)}`]);
  const url = `postgresql://postgres:${superuserPassword}@127.0.0.1:${server.port}/postgres`;
  return {
    host: 'web-1',
    settings: settingsFor(server, way, names),
    current: { account: names.roles[0], value: SecretValue.fromText(oldPassword) },
    context: {
      secret: { environment: 'prod', name: 'db-password' },
      hosts: hostAccess(...hosts),
      async login(name) {
        if (name !== 'app-admin') throw new RotateError('BadConfig', `no login ${name}`);
        return SecretValue.fromText(`${url}\n`);
      },
      command: noCommand,
      signal: new AbortController().signal,
    },
    async connect({ account, value }) {
      const client = await server.client({
        host: '127.0.0.1',
        ...(account === undefined ? {} : { user: account }),
        password: value.text(),
        database: names.database,
        application_name: 'app',
      });
      let ended = false;
      client.on('end', () => (ended = true));
      return {
        async alive() {
          if (ended) return false;
          return client.query('SELECT 1').then(
            () => true,
            () => false,
          );
        },
        async close() {
          if (!ended) await client.end();
        },
      };
    },
  };
}
