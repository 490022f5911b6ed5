/** Looks at a secret on a host: whether it can be opened there, and what is installed. The value never leaves it. */
import { z } from 'zod';
import { RotateError } from '../domain/failure.js';
import type { RemoteHost } from '../domain/remote.js';
import { keyValues } from './remote-paths.js';
import { monotonicClock } from './shell-library.js';

/** What the host's own configuration evaluates to. */
export interface HostIdentities {
  /** Absolute path of age on the host. */
  ageBin: string;
  /** As agenix does, those that are absent or empty are passed over. */
  identityPaths: readonly string[];
}

/**
 * Decrypts `ciphertext` on `host` as its activation would, to nowhere.
 * @throws RotateError HostCannotDecrypt with age's words
 */
export async function tryOpen(
  host: RemoteHost,
  ciphertext: Uint8Array,
  identities: HostIdentities,
  signal?: AbortSignal,
): Promise<void> {
  const { code, stderr } = await host.run({
    script: `age=$1; shift
[ -x "$age" ] || { echo "there is no age at $age" >&2; exit 2; }
n=$# i=0
while [ "$i" -lt "$n" ]; do
  if [ -r "$1" ] && [ -s "$1" ]; then set -- "$@" -i "$1"; fi
  shift
  i=$((i + 1))
done
[ $# -gt 0 ] || { echo "none of its identities is there" >&2; exit 3; }
exec "$age" --decrypt "$@" > /dev/null`,
    args: [identities.ageBin, ...identities.identityPaths],
    input: ciphertext,
    timeoutMs: 30_000,
    ...(signal === undefined ? {} : { signal }),
  });
  if (code === 0) return;
  const said = stderr
    .split('\n')
    .map((line) => line.replace(/^age: (error: )?/, '').trim())
    .filter((line) => line !== '' && !line.startsWith('[ Did age not do what'));
  throw new RotateError(
    'HostCannotDecrypt',
    `${host.name} cannot open the file: ${said.join('; ').slice(0, 1_000)}`,
    {
      host: host.name,
      hint: `check that a key of ${identities.identityPaths.join(', ')} on ${host.name} is among the recipients`,
    },
  );
}

export interface InstalledFile {
  /** Of the content, in hex. */
  sha256: string;
  /** Names, or numbers where the host has no name for them. */
  owner: string;
  group: string;
  uid: number;
  gid: number;
  /** Four octal digits, e.g. `0400`. */
  mode: string;
  /** Where links lead in the end. */
  realPath: string;
  /** e.g. `ramfs`, `tmpfs`, `ext2/ext3`. */
  fsType: string;
  /** Last change of the file (content, owner or mode) on the host's monotonic clock, in microseconds. */
  installedMonotonicUs: number;
  /** It lies in the Nix store, where everyone can read it. */
  inStore: boolean;
}

const digits = z
  .string()
  .regex(/^-?\d+$/)
  .transform(Number);
const shape = z.object({
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  owner: z.string(),
  group: z.string(),
  uid: digits,
  gid: digits,
  mode: z.string().regex(/^[0-7]+$/),
  fsType: z.string(),
  installed: digits,
});

/** The file at `path` (links followed); undefined when there is none. @throws RotateError Internal, … */
export async function inspectFile(
  host: RemoteHost,
  path: string,
  signal?: AbortSignal,
): Promise<InstalledFile | undefined> {
  const { code, stdout, stderr } = await host.run({
    script: `${monotonicClock}
f=$(readlink -e -- "$1") && [ -f "$f" ] || exit 44
changed=$(stat -c %.6Z -- "$f") || exit
wall=$(date +%s%6N) now=$(monotonic_us)
echo "installed=$((now - (wall - \${changed%.*}\${changed#*.})))"
sum=$(sha256sum < "$f") || exit
echo "sha256=\${sum%% *}"
stat -c 'owner=%U
group=%G
uid=%u
gid=%g
mode=%a' -- "$f" || exit
echo "fsType=$(stat -f -c %T -- "$f")"
printf 'path=%s' "$f"`,
    args: [path],
    timeoutMs: 30_000,
    ...(signal === undefined ? {} : { signal }),
  });
  if (code === 44) return undefined;
  // Last, because a path may hold anything.
  const at = stdout.indexOf('\npath=');
  const parsed = shape.safeParse(Object.fromEntries(keyValues(stdout.slice(0, at))));
  if (code !== 0 || at < 0 || !parsed.success)
    throw new RotateError(
      'Internal',
      `cannot look at ${path} on ${host.name}: ${stderr.trim().slice(0, 4096)}`,
      {
        host: host.name,
        hint: `see \`ls -lL ${path}\` on ${host.name}`,
      },
    );
  const { installed, owner, group, ...rest } = parsed.data;
  const realPath = stdout.slice(at + '\npath='.length);
  return {
    ...rest,
    owner: owner === 'UNKNOWN' ? String(rest.uid) : owner,
    group: group === 'UNKNOWN' ? String(rest.gid) : group,
    mode: rest.mode.padStart(4, '0'),
    realPath,
    installedMonotonicUs: installed,
    inStore: realPath.startsWith('/nix/store/'),
  };
}
