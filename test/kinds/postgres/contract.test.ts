/** The contract, on a real server, by both ways in and with plain and awkward names. */
import { afterAll, beforeAll, describe } from 'vitest';
import { postgres } from '../../../kinds/postgres/kind.js';
import { kindContract } from '../contract.js';
import { fixture } from './fixture.js';
import { type PostgresServer, startServer } from './server.js';

let server: PostgresServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(async () => {
  await server.stop();
});

describe('administered with psql on its host', () => {
  kindContract(postgres, async () => fixture(server, 'host'));
});

describe('administered by a URL, with names that need quoting', () => {
  kindContract(postgres, async () =>
    fixture(server, 'login', {
      roles: [`App"A'; DROP ROLE postgres; --`, 'app\\b $1 :x ünï'],
      owner: 'the "owner" [rotate x/y 9.9]',
      database: 'App "db"\\',
    }),
  );
});
