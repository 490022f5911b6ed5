/**
 * One login as an application would do it: read the file, take the URL from it, connect, ask who one is, and
 * disconnect. Shares no code with what is tested.
 */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { leaderOf, parseHosts, programOf, resolveIn } from './lab-host.js';

/** Where the application's file is. */
export interface LoginSource {
  /** The host's root directory as seen from here, now; undefined while the host is off. */
  root: () => string | undefined;
  /** Path of the installed file on the host. */
  file: string;
  /** The variable in it that holds the URL. */
  variable: string;
  /** How long a login may take, in milliseconds. */
  timeoutMs: number;
}

/** How a login went. */
export interface Login {
  /** When it began, RFC 3339. */
  at: string;
  ok: boolean;
  ms: number;
  /** Who the server says has logged in. */
  user?: string;
  /** SQLSTATE, or the code of the file system or the network. */
  code?: string;
  /** Never with the password. */
  message?: string;
  /** The file was another at the end than at the beginning. Such a failure counts like any other. */
  replaced?: boolean;
  /** The host was off or rebooting; no application ran there that could have failed. */
  down?: boolean;
}

/**
 * The root of the host whose folder in the lab is given, looked up again each time because a reboot moves it. Before
 * its PID 1 has become systemd, and after it has become systemd-shutdown, no application runs on the host.
 */
export function rootOfHost(folder: string): () => string | undefined {
  return () => {
    const leader = leaderOf(folder);
    return leader === undefined || programOf(leader) !== 'systemd' ? undefined : `/proc/${leader}/root`;
  };
}

/**
 * Reads a file of the host. agenix moves a link and deletes the old folder afterwards; the kernel follows the link
 * and opens the file in one go, we do not, so a folder that has vanished in between is looked up again.
 */
function readOnHost(root: string, path: string): string {
  for (let tries = 1; ; tries += 1)
    try {
      return readFileSync(resolveIn(root, path), 'utf8');
    } catch (error) {
      if (tries === 5 || codeOf(error) !== 'ENOENT') throw error;
    }
}

/** `variable` of a file for systemd's EnvironmentFile; the last one wins. */
export function variableIn(text: string, variable: string): string | undefined {
  let value: string | undefined;
  for (const line of text.split('\n')) {
    const match = /^\s*([A-Za-z_][A-Za-z0-9_]*)=(.*?)\s*$/.exec(line);
    if (match?.[1] === variable) value = match[2]?.replace(/^(["'])(.*)\1$/, '$2');
  }
  return value;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'ERROR';
}

/** What may be told of `error`: its message when it cannot quote what was read. */
function messageOf(error: unknown, secrets: readonly string[]): string {
  const message = error instanceof Error ? error.message : 'unknown';
  return secrets.some((secret) => secret !== '' && message.includes(secret))
    ? '[withheld]'
    : message.slice(0, 300);
}

function parseUrl(text: string): URL {
  // The message of the parser's own error quotes what it could not parse.
  if (!URL.canParse(text)) throw Object.assign(new Error('the variable is no URL'), { code: 'BAD_URL' });
  return new URL(text);
}

/** Connects to what `url` names and asks who one is. */
async function askWho(
  url: URL,
  password: string,
  addresses: Map<string, string>,
  timeoutMs: number,
): Promise<string> {
  const name = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const host = isIP(name) === 0 ? addresses.get(name) : name;
  if (host === undefined)
    throw Object.assign(new Error(`the host's /etc/hosts does not have ${name}`), { code: 'ENOTFOUND' });
  const mode = url.searchParams.get('sslmode') ?? 'disable';
  const client = new Client({
    host,
    port: url.port === '' ? 5432 : Number(url.port),
    user: decodeURIComponent(url.username),
    password,
    database: decodeURIComponent(url.pathname.slice(1)),
    ssl: mode === 'disable' || mode === 'prefer' || mode === 'allow' ? false : { rejectUnauthorized: false },
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
    application_name: 'independent-client',
  });
  const lost = new Promise<never>((_, reject) => client.on('error', reject));
  lost.catch(() => undefined); // heard below, when it comes in time
  try {
    await client.connect();
    const { rows } = await Promise.race([client.query<{ who: string }>('SELECT current_user AS who'), lost]);
    return rows[0]?.who ?? '';
  } finally {
    // Not waited for longer than a moment: on a connection that hangs, the goodbye hangs, too.
    await Promise.race([client.end(), sleep(500)]);
  }
}

/** One login. Never rejects: what goes wrong is part of the answer. */
export async function logIn(source: LoginSource): Promise<Login> {
  const at = new Date().toISOString();
  const started = performance.now();
  const secrets: string[] = [];
  let before: string | undefined;
  const ms = (): number => Math.round(performance.now() - started);
  try {
    const root = source.root();
    if (root === undefined)
      return { at, ok: false, ms: ms(), code: 'EHOSTDOWN', message: 'the host is off', down: true };
    before = readOnHost(root, source.file);
    const value = variableIn(before, source.variable);
    if (value === undefined)
      throw Object.assign(new Error(`the file has no ${source.variable}`), { code: 'NO_VARIABLE' });
    secrets.push(value);
    const url = parseUrl(value);
    const password = decodeURIComponent(url.password);
    secrets.push(url.password, password);
    const addresses = parseHosts(readOnHost(root, '/etc/hosts'));
    const user = await askWho(url, password, addresses, source.timeoutMs);
    return { at, ok: true, ms: ms(), user };
  } catch (error) {
    const failed: Login = {
      at,
      ok: false,
      ms: ms(),
      code: codeOf(error),
      message: messageOf(error, secrets),
    };
    const root = source.root();
    if (root === undefined) return { ...failed, down: true };
    return before !== undefined && wasReplaced(root, source.file, before)
      ? { ...failed, replaced: true }
      : failed;
  }
}

function wasReplaced(root: string, file: string, before: string): boolean {
  try {
    return readOnHost(root, file) !== before;
  } catch {
    // Gone is not what it was before.
    return true;
  }
}
