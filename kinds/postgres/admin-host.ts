/** Administers the server with psql on its own host, by peer login: `admin: { host, as }`. */
import { randomBytes } from 'node:crypto';
import { RotateError } from '../../domain/failure.js';
import type { RemoteResult } from '../../domain/remote.js';
import type { KindContext } from '../kind.js';
import { type AdminSession, adminDatabase } from './admin-session.js';
import { parseEndpoint } from './endpoint.js';
import { notFoundExit, psqlScript } from './psql-script.js';
import { serverError, withoutSecrets } from './sqlstate.js';

/** Longer than any statement of ours waits (see {@link ../transaction}), shorter than the activity. */
const timeoutMs = 28_000;

export function hostSession(
  context: KindContext,
  endpoints: readonly string[],
  admin: { host: string; as: string; port?: number | undefined },
): AdminSession {
  const server = `PostgreSQL on ${admin.host}`;
  const preferred = preferredPorts(endpoints, admin.host);
  return {
    server,
    async run(statements, database = adminDatabase) {
      context.signal.throwIfAborted();
      const mark = `rotate-${randomBytes(12).toString('hex')}`;
      const result = await context.hosts.host(admin.host).run({
        script: psqlScript,
        args: [database, admin.port === undefined ? '' : String(admin.port), preferred.join(' ')],
        input: new TextEncoder().encode(
          statements.map((statement) => `${statement};\n\\echo ${mark}\n`).join(''),
        ),
        as: admin.as,
        timeoutMs,
        signal: context.signal,
      });
      if (result.code !== 0) throw failure(result, server, admin);
      return readRows(result.stdout, mark, statements.length, server);
    },
  };
}

/** Ports of the endpoints on this host first, then the others'. */
function preferredPorts(endpoints: readonly string[], host: string): number[] {
  const parsed = endpoints.map(parseEndpoint).filter((endpoint) => endpoint !== undefined);
  const here = parsed.filter((endpoint) => endpoint.address === host);
  return [...new Set([...here, ...parsed].map((endpoint) => endpoint.port))];
}

/** Rows of each statement: psql prints one a line, and the mark after each statement. */
function readRows(stdout: string, mark: string, count: number, server: string): string[][] {
  const parts = stdout.split(`${mark}\n`);
  if (parts.length !== count + 1)
    throw new RotateError('IssuerUnreachable', `${server}: psql ended before it had run everything`, {
      hint: lookThere,
    });
  return parts.slice(0, count).map((part) => part.split('\n').slice(0, -1));
}

const lookThere = 'see whether the server runs, and its log';

function failure(result: RemoteResult, server: string, admin: { host: string; as: string }): RotateError {
  if (result.code === notFoundExit) return notFound(result.stderr, admin);
  // VERBOSITY verbose: `psql:<stdin>:3: ERROR:  28000: message`. Only this line is read: others quote the statement
  const answered = /^psql:<stdin>:\d+: [^:\n]+: {1,2}([0-9A-Z]{5}): (.*)$/m.exec(result.stderr);
  if (answered !== null) return serverError(server, answered[1] ?? '', answered[2] ?? '');
  const refused = /^psql: (?:error: )?(.*)$/m.exec(result.stderr)?.[1];
  if (result.code === 2 && refused !== undefined) return connectionError(server, refused, admin.as);
  if (result.code === 2)
    return new RotateError('IssuerUnreachable', `${server}: the connection was lost`, { hint: lookThere });
  const said = withoutSecrets(result.stderr.split('\n')[0] ?? '');
  return new RotateError('IssuerMisconfigured', `${server}: psql ended with ${result.code}: ${said}`, {
    host: admin.host,
    hint: `try psql as ${admin.as} on ${admin.host}`,
  });
}

/** libpq gives no SQLSTATE for a connection that did not come about, only words (in English under LC_ALL=C). */
function connectionError(server: string, words: string, as: string): RotateError {
  const message = withoutSecrets(words);
  if (
    /peer|ident |pg_hba|password|authentication|role ".*" (?:does not exist|is not permitted)/i.test(message)
  )
    return new RotateError('IssuerAuthFailed', `${server}: ${message}`, {
      hint: `let the system user ${as} log in as the role of that name: \`local all ${as} peer\` in pg_hba.conf`,
    });
  if (/database ".*" does not exist/i.test(message))
    return new RotateError('IssuerMisconfigured', `${server}: ${message}`, {
      hint: 'correct `postgres.database`, or create it',
    });
  return new RotateError('IssuerUnreachable', `${server}: ${message}`, { hint: lookThere });
}

function notFound(stderr: string, admin: { host: string; as: string }): RotateError {
  const [reason, ...rest] = /^rotate:(.*)$/m.exec(stderr)?.[1]?.split(/\s+/) ?? [];
  const list = rest.join(' ');
  const options = { host: admin.host };
  switch (reason) {
    case 'none':
      return new RotateError('IssuerUnreachable', `no PostgreSQL server runs on ${admin.host}`, {
        ...options,
        hint: 'start it, or name the host that it runs on in postgres.admin.host',
      });
    case 'several':
      return new RotateError(
        'IssuerMisconfigured',
        `several PostgreSQL servers run on ${admin.host} (ports ${list}), and no endpoint has one of these ports`,
        { ...options, hint: 'say which: postgres.admin.port' },
      );
    case 'port':
      return new RotateError(
        'IssuerMisconfigured',
        `no PostgreSQL server on ${admin.host} has the port that postgres.admin.port names (${list})`,
        { ...options, hint: 'correct `postgres.admin.port`, or leave it out' },
      );
    case 'socket':
      return new RotateError(
        'IssuerMisconfigured',
        `PostgreSQL on ${admin.host} (port ${list}) has no Unix socket, which a peer login needs`,
        { ...options, hint: 'set unix_socket_directories, or use postgres.admin.login' },
      );
    default:
      return new RotateError(
        'IssuerMisconfigured',
        `psql is neither beside the server's binary on ${admin.host} (${list}) nor on the PATH of ${admin.as}`,
        { ...options, hint: 'install the package that has psql, or use postgres.admin.login' },
      );
  }
}
