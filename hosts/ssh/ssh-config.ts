/**
 * Settings for OpenSSH, made from the same hosts and as strict as our own connections: nix-copy-closure and
 * nixos-rebuild run `ssh` themselves and take these by `NIX_SSHOPTS="-F file"`.
 */
import { mkdir, mkdtemp, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { RotateError } from '../../domain/failure.js';
import type { HostSpec } from '../../domain/spec.js';
import type { SshAuth } from './connection.js';

export interface SshConfig {
  /** Value for `NIX_SSHOPTS`. */
  nixSshOpts: string;
  /** What `host` is called in the file: an argument for `ssh`, `--build-host` and `ssh://`. */
  alias(host: string): string;
  /** For the socket of a shared connection; undefined where its path would be too long. */
  controlPath(host: string): string | undefined;
}

/** A path of unix(7) has at most 107 bytes, and ssh makes the socket under a name that is 17 longer. */
const longestSocket = 90;

/**
 * Writes `ssh_config` and `known_hosts` into `directory` (made when absent, 0700). nixos-rebuild splits NIX_SSHOPTS
 * at spaces, so a directory whose name holds some is replaced by one under the system's temporary directory.
 * @throws RotateError BadConfig when a value could be read as more than itself
 */
export async function writeSshConfig(options: {
  directory: string;
  hosts: readonly HostSpec[];
  auth: SshAuth;
  knownHosts?: string;
}): Promise<SshConfig> {
  const wanted = resolve(options.directory);
  const directory = /^[\w./+,@-]+$/.test(wanted) ? wanted : await mkdtemp(join(tmpdir(), 'rotate-ssh-'));
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const pinned = join(directory, 'known_hosts');
  const file = join(directory, 'ssh_config');
  const lines = options.hosts.flatMap((host) =>
    host.hostKey === undefined ? [] : [`${aliasOf(host.name)} ${keyField(host)}`],
  );
  await replace(pinned, `${lines.join('\n')}\n`);
  const blocks = options.hosts.map((host) => hostBlock(host, pinned, options.knownHosts));
  await replace(file, `${[...blocks, common(options.auth)].join('\n')}\n`);
  return {
    nixSshOpts: `-F ${file}`,
    alias: aliasOf,
    controlPath(host) {
      const path = join(directory, `${options.hosts.findIndex(({ name }) => name === host)}.sock`);
      return path.length > longestSocket ? undefined : path;
    },
  };
}

/** A name that `ssh`, a store URI and a shell all take for a host name, and that is never `localhost`. */
function aliasOf(host: string): string {
  const safe = host.replace(/[^A-Za-z0-9.-]/g, (c) => `_${c.codePointAt(0)?.toString(16) ?? ''}_`);
  return `rotate-${safe}`;
}

function hostBlock(host: HostSpec, pinned: string, knownHosts: string | undefined): string {
  const keys =
    host.hostKey === undefined
      ? [`  UserKnownHostsFile ${quoted(knownHosts ?? '/dev/null')}`]
      : [`  UserKnownHostsFile ${quoted(pinned)}`, `  HostKeyAlias ${aliasOf(host.name)}`];
  return [
    `Host ${aliasOf(host.name)}`,
    `  HostName ${word(host.address, 'address', host.name)}`,
    `  Port ${host.port}`,
    `  User ${word(host.user, 'user', host.name)}`,
    ...keys,
  ].join('\n');
}

function common(auth: SshAuth): string {
  const identity =
    'agent' in auth
      ? [`  IdentityAgent ${quoted(auth.agent)}`]
      : [`  IdentityFile ${quoted(auth.identityFile)}`, '  IdentitiesOnly yes', '  IdentityAgent none'];
  return [
    'Host *',
    ...identity,
    '  GlobalKnownHostsFile /dev/null',
    '  StrictHostKeyChecking yes',
    '  UpdateHostKeys no',
    '  VerifyHostKeyDNS no',
    '  BatchMode yes',
    '  PasswordAuthentication no',
    '  KbdInteractiveAuthentication no',
    '  ForwardAgent no',
    '  ForwardX11 no',
    '  PermitLocalCommand no',
    '  ConnectTimeout 10',
    '  ServerAliveInterval 5',
    '  ServerAliveCountMax 3',
    '  LogLevel ERROR',
  ].join('\n');
}

function keyField(host: HostSpec): string {
  const [type, blob] = (host.hostKey ?? '').trim().split(/\s+/);
  return `${word(type ?? '', 'hostKey', host.name)} ${word(blob ?? '', 'hostKey', host.name)}`;
}

/** A value that ends at a blank or a line in ssh_config may hold neither, nor a token that ssh expands. */
function word(value: string, what: string, host: string): string {
  if (!/^[A-Za-z0-9_.:@+/=-]+$/.test(value) || value.startsWith('-'))
    throw new RotateError(
      'BadConfig',
      `${what} of ${host} cannot be given to ssh: ${JSON.stringify(value)}`,
      { host, hint: `correct it under \`hosts.${host}\` in rotate.yaml` },
    );
  return value;
}

/** A path: quoted, with ssh's own `%` tokens and `${VARIABLES}` kept from being expanded. */
function quoted(path: string): string {
  if (/["\n\r\0]/.test(path) || path.includes('${'))
    throw new RotateError('BadConfig', `the path ${JSON.stringify(path)} cannot be given to ssh`, {
      hint: 'name a file without quotes, line breaks and `${` under `ssh` in worker.yaml',
    });
  return `"${path.replaceAll('%', '%%')}"`;
}

async function replace(path: string, text: string): Promise<void> {
  const next = `${path}.${process.pid}.new`;
  await writeFile(next, text, { mode: 0o600 });
  await rename(next, path);
}
