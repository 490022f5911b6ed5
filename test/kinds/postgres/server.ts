/** A real PostgreSQL server for a test: Debian's binaries, a data directory of its own, loopback only. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, chmod, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client, type ClientConfig } from 'pg';

const run = promisify(execFile);

export interface PostgresServer {
  port: number;
  socket: string;
  data: string;
  /** System user that it runs as, and that logs in by peer. */
  user: string;
  /** Everything that it has logged, statements included. */
  log(): Promise<string>;
  /** Runs statements as the superuser, one message each. */
  sql(statements: string | readonly string[], database?: string): Promise<unknown[][]>;
  /** A connection of its own; end it. */
  client(config: ClientConfig): Promise<Client>;
  pid: number;
  stop(): Promise<void>;
}

export interface ServerOptions {
  /** Lines of pg_hba.conf before those that the test itself needs. */
  hba?: readonly string[];
  settings?: Readonly<Record<string, string>>;
}

/** The newest PostgreSQL of the machine, or what $ROTATE_TEST_POSTGRES names, to try another version. */
export async function binaries(): Promise<string> {
  const chosen = process.env['ROTATE_TEST_POSTGRES'];
  if (chosen !== undefined) return chosen;
  const root = '/usr/lib/postgresql';
  const versions = (await readdir(root)).toSorted((a, b) => Number(b) - Number(a));
  if (versions[0] === undefined) throw new Error('install the Debian package postgresql');
  return join(root, versions[0], 'bin');
}

/** The server refuses to run as root, so a test that does runs it as `postgres`. */
const isRoot = process.getuid?.() === 0;
export const systemUser = isRoot ? 'postgres' : (process.env['USER'] ?? 'nobody');

/** `argv` as {@link systemUser}. */
export function asSystemUser(argv: readonly string[], user = systemUser): [string, string[]] {
  const [program = 'true', ...rest] = argv;
  return isRoot ? ['runuser', ['-u', user, '--', program, ...rest]] : [program, rest];
}

export async function startServer(options: ServerOptions = {}): Promise<PostgresServer> {
  const bin = await binaries();
  const root = await mkdtemp(join(tmpdir(), 'rotate-pg-'));
  await chmod(root, 0o755);
  const data = join(root, 'data');
  const user = systemUser;
  if (isRoot) await own(root, user);
  await run(
    ...asSystemUser([
      join(bin, 'initdb'),
      '-D',
      data,
      '-U',
      'postgres',
      '-A',
      'peer',
      '--no-sync',
      '-E',
      'UTF8',
      '--locale=C.UTF-8',
    ]),
  );
  const port = await freePort();
  const hba = [
    ...(options.hba ?? []),
    // the test's own superuser connections
    'local all postgres peer map=test',
    'local all all peer',
    'host all all 127.0.0.1/32 scram-sha-256',
  ];
  await writeFile(join(data, 'pg_hba.conf'), `${hba.join('\n')}\n`);
  await writeFile(join(data, 'pg_ident.conf'), `test root postgres\ntest ${user} postgres\n`);
  const settings = {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: root,
    fsync: 'off',
    max_connections: '60',
    log_statement: 'all',
    log_min_duration_statement: '0',
    log_min_messages: 'debug1',
    log_transaction_sample_rate: '1',
    log_connections: 'on',
    log_line_prefix: '%p %u ',
    ...options.settings,
  };
  const conf = Object.entries(settings).map(([key, value]) => `${key} = '${value}'\n`);
  await writeFile(join(data, 'postgresql.auto.conf'), conf.join(''));
  const [program, argv] = asSystemUser([join(bin, 'postgres'), '-D', data]);
  const child = spawn(program, argv, { stdio: ['ignore', 'ignore', 'pipe'] });
  const chunks: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  const exited = once(child, 'exit');
  const log = async (): Promise<string> => Buffer.concat(chunks).toString();

  const client = async (config: ClientConfig): Promise<Client> => {
    const made = new Client({ host: root, port, database: 'postgres', ...config });
    made.on('error', () => undefined);
    await made.connect();
    return made;
  };
  for (let tries = 0; ; tries++) {
    try {
      await (await client({ user: 'postgres' })).end();
      break;
    } catch (error) {
      if (tries > 200 || child.exitCode !== null) throw new Error(await log(), { cause: error });
      await sleep(50);
    }
  }
  const pid = Number((await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n')[0]);
  return {
    port,
    socket: root,
    data,
    user,
    pid,
    log,
    client,
    async sql(statements, database = 'postgres') {
      const session = await client({ user: 'postgres', database });
      try {
        let rows: unknown[][] = [];
        for (const text of [statements].flat())
          rows = (await session.query<unknown[]>({ text, rowMode: 'array' })).rows;
        return rows;
      } finally {
        await session.end();
      }
    },
    async stop() {
      process.kill(pid, 'SIGQUIT');
      await exited;
      await rm(root, { recursive: true, force: true });
    },
  };
}

async function own(path: string, user: string): Promise<void> {
  const { stdout } = await run('id', ['-u', user]);
  const { stdout: group } = await run('id', ['-g', user]);
  await chown(path, Number(stdout), Number(group));
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
