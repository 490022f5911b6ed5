/** Reads the PostgreSQL URL of an admin login, TLS as libpq understands it. */
import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { RotateError } from '../../domain/failure.js';
import { systemReason } from '../../domain/system-error.js';
import type { SecretValue } from '../../domain/secret-value.js';
import type { Dial } from './dial.js';

const noHost = 'none.invalid';

/**
 * Whom to connect as, where, and with which TLS. The database of the URL is left out: each session names its own.
 * Understood parameters: `host`, `port`, `options`, `sslmode`, `sslrootcert` (a file, or `system`), `sslcert`,
 * `sslkey`; `prefer` is the default of sslmode, as in libpq.
 * @param name the login's name, for messages
 * @throws RotateError BadConfig, never with the URL in it
 */
export function readLoginUrl(login: SecretValue, name: string): Pick<Dial, 'config' | 'tls'> {
  // libpq takes `user@/database?host=/socket`, which URL does not
  const text = login
    .text()
    .trim()
    .replace(/^(\w+:\/\/[^/?#]*@)(?=[/?]|$)/, `$1${noHost}`);
  // no cause: the error of URL holds its input
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['postgres:', 'postgresql:'].includes(url.protocol))
    throw badUrl(
      name,
      'it has to begin with postgresql:// and special characters have to be percent-encoded',
    );
  const parameters = url.searchParams;
  const host = parameters.get('host') ?? decoded(url.hostname, name);
  const port = Number(parameters.get('port') ?? (url.port || 5432));
  const user = decoded(url.username, name);
  if (host === '' || host === noHost) throw badUrl(name, 'it names no host');
  if (user === '') throw badUrl(name, 'it names no user');
  if (!Number.isInteger(port)) throw badUrl(name, 'its port is not a number');
  const options = parameters.get('options');
  return {
    config: {
      host: host.replace(/^\[(.*)\]$/, '$1'),
      port,
      user,
      password: decoded(url.password, name),
      ...(options === null ? {} : { options }),
    },
    tls: host.startsWith('/') ? false : readTls(parameters, name),
  };
}

function readTls(parameters: URLSearchParams, name: string): Dial['tls'] {
  const mode = parameters.get('sslmode') ?? 'prefer';
  const rootcert = parameters.get('sslrootcert');
  const tls: ConnectionOptions = {};
  if (rootcert !== null && rootcert !== 'system') tls.ca = file(rootcert, name);
  const cert = parameters.get('sslcert');
  const key = parameters.get('sslkey');
  if (cert !== null) tls.cert = file(cert, name);
  if (key !== null) tls.key = file(key, name);
  switch (mode) {
    case 'disable':
      return false;
    case 'allow':
    case 'prefer':
      return 'prefer';
    case 'require':
      // as libpq: a root certificate makes it verify-ca
      return rootcert === null
        ? { ...tls, rejectUnauthorized: false }
        : { ...tls, checkServerIdentity: () => undefined };
    case 'verify-ca':
      if (rootcert === null) throw badUrl(name, 'sslmode=verify-ca needs sslrootcert');
      return { ...tls, checkServerIdentity: () => undefined };
    case 'verify-full':
      return tls;
    default:
      throw badUrl(name, 'its sslmode is not one of disable, prefer, require, verify-ca, verify-full');
  }
}

function file(path: string, name: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new RotateError('BadConfig', `login ${name}: cannot read ${path}: ${systemReason(error)}`, {
      hint: 'correct sslrootcert in the login, or put the certificate there',
      cause: error,
    });
  }
}

function decoded(part: string, name: string): string {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    if (error instanceof URIError)
      throw badUrl(name, 'a percent sign in it is not followed by two hex digits');
    throw error;
  }
}

function badUrl(name: string, why: string): RotateError {
  return new RotateError('BadConfig', `login ${name} is not a usable PostgreSQL URL: ${why}`, {
    hint: 'write postgresql://user:password@host:5432/postgres?sslmode=verify-full',
  });
}
