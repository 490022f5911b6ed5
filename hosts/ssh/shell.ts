/** Builds the one line that sshd hands to a login shell, so that nothing in it is ever interpreted twice. */
import { RotateError } from '../../domain/failure.js';

/**
 * Where a host's own tools are looked for: NixOS first, then what other systems have. A login's or a unit's own
 * PATH is never relied on (a NixOS transient unit has no coreutils).
 */
export const remotePath =
  '/run/wrappers/bin:/run/current-system/sw/bin:/nix/var/nix/profiles/default/bin:' +
  '/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin';

/** First lines of every script that runs on a host, whoever runs it. */
export const scriptPrologue = `PATH=${remotePath}; LC_ALL=C; export PATH LC_ALL; umask 077; cd /\n`;

/**
 * `text` as one word for a POSIX shell. Backslashes stand outside the quotes, because fish reads them inside
 * single quotes as well: the login shell of a host is its owner's choice.
 * @throws RotateError Internal when `text` holds a NUL, which no command line can carry
 */
export function shellQuote(text: string): string {
  if (text.includes('\0')) throw new RotateError('Internal', 'a command line cannot hold a nul byte');
  return `'${text.replace(/[\\']/g, (c) => `'\\${c}'`)}'`;
}

/** How a script gets to the user that it is to run as. */
export type Route =
  | { type: 'direct' }
  /** `sudo -n -u user` */
  | { type: 'sudo'; user: string }
  /** `runuser -u user`, from root */
  | { type: 'runuser'; user: string };

/**
 * Which way leads from the login to `as`.
 * @throws RotateError HostAuthFailed when there is none; BadConfig when `as` is no user name
 */
export function routeTo(as: string, host: { name: string; user: string; sudo: boolean }): Route {
  if (!/^[a-z_][a-z0-9_.-]{0,31}\$?$/i.test(as))
    throw new RotateError('BadConfig', `${JSON.stringify(as)} is not the name of a user of ${host.name}`, {
      host: host.name,
      hint: 'correct `as` of the secret in rotate.yaml',
    });
  if (as === host.user) return { type: 'direct' };
  if (host.user === 'root') return { type: 'runuser', user: as };
  if (host.sudo) return { type: 'sudo', user: as };
  throw new RotateError(
    'HostAuthFailed',
    `${host.name} is reached as ${host.user}, which cannot become ${as}`,
    {
      host: host.name,
      hint: `set sudo: true for ${host.name} in rotate.yaml, or log in as root`,
    },
  );
}

/** The command line for `script` with `$1`, `$2`, … = `args`. */
export function commandLine(script: string, args: readonly string[], route: Route): string {
  const words = [scriptPrologue + script, 'rotate', ...args];
  if (route.type === 'direct') return `exec /bin/sh -c ${words.map(shellQuote).join(' ')}`;
  const become =
    route.type === 'sudo'
      ? 'exec sudo -n -u "$0" -- /bin/sh -c "$@"'
      : 'exec runuser -u "$0" -- /bin/sh -c "$@"';
  return `exec /bin/sh -c ${[scriptPrologue + become, route.user, ...words].map(shellQuote).join(' ')}`;
}
