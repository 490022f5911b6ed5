/** What a host is and has, read in one round trip. */
import { z } from 'zod';
import { RotateError } from '../domain/failure.js';
import { parseFence } from '../domain/fence.js';
import type { Fence } from '../domain/fence.js';
import type { RemoteHost } from '../domain/remote.js';
import { decodeName, keyValues, stateDirectory, systemProfile, words } from './remote-paths.js';
import { bootDefault, failedUnits, monotonicClock, resolveLink } from './shell-library.js';

export interface HostFacts {
  /** Changes with each boot. */
  bootId: string;
  /** Store path of the system that runs. Absent: not a NixOS host. */
  running?: string;
  /** Store path in the system profile. */
  profile?: string;
  /** Store path that the boot loader starts. Absent when it cannot be told from its files. */
  bootDefault?: string;
  /** Now on the clock of systemd's `…TimestampMonotonic`, in microseconds. */
  monotonicUs: number;
  /** Units that are failed, or being restarted because they failed. */
  failedUnits: string[];
  /** Free space by directory (`/nix/store`, `/var/lib`, `/run`): bytes, and inodes where they are counted. */
  free: { directory: string; bytes: number; inodes?: number }[];
  /** Highest fence stored, by secret (`prod/db-password`). */
  fences: Map<string, Fence>;
  /** Ids of rotate's jobs under way. */
  jobs: string[];
  /** Ids of jobs whose dead man still waits for a confirmation. */
  armed: string[];
}

const script = `${monotonicClock}${bootDefault}${resolveLink}${failedUnits}
echo "boot=$(cat /proc/sys/kernel/random/boot_id)"
echo "running=$(resolve /run/current-system)"
echo "profile=$(resolve ${systemProfile})"
echo "bootDefault=$(boot_default)"
echo "monotonic=$(monotonic_us)"
echo "failed=$(failed_units | tr '\\n' ' ')"
for d in /nix/store /var/lib /run; do
  df --output=avail,iavail --block-size=1 "$d" 2>/dev/null | tail -n 1 | { read -r b i; echo "free:$d=$b $i"; }
done
for f in ${stateDirectory}/fence/*; do
  case $f in */'*' | *.new) continue ;; esac
  echo "fence:\${f##*/}=$(cat "$f")"
done
echo "units=$(systemctl list-units --all --state=active,activating,deactivating --plain --no-legend --full 'rotate-*.service' |
  while read -r u rest; do echo "$u"; done | tr '\\n' ' ')"
`;

const shape = z.object({ boot: z.string().min(1), monotonic: z.string().regex(/^\d+$/) });

/** @throws RotateError HostUnreachable, HostAuthFailed, …; Internal when the host answers something else */
export async function readFacts(host: RemoteHost, signal?: AbortSignal): Promise<HostFacts> {
  const { code, stdout, stderr } = await host.run({
    script,
    timeoutMs: 30_000,
    ...(signal === undefined ? {} : { signal }),
  });
  const values = keyValues(stdout);
  const parsed = shape.safeParse(Object.fromEntries(values));
  if (code !== 0 || !parsed.success)
    throw new RotateError(
      'Internal',
      `${host.name} does not tell its state: ${stderr.trim().slice(0, 4096)}`,
      {
        host: host.name,
        hint: 'it needs systemd, coreutils and a Linux /proc',
      },
    );
  const path = (key: string): string | undefined => values.get(key) || undefined;
  const running = path('running');
  const profile = path('profile');
  const boot = path('bootDefault');
  const units = words(values.get('units')).map((unit) => unit.replace(/^rotate-|\.service$/g, ''));
  return {
    bootId: parsed.data.boot,
    ...(running === undefined ? {} : { running }),
    ...(profile === undefined ? {} : { profile }),
    ...(boot === undefined ? {} : { bootDefault: boot }),
    monotonicUs: Number(parsed.data.monotonic),
    failedUnits: words(values.get('failed')),
    free: [...values].flatMap(([key, value]) => freeSpace(key, value)),
    fences: new Map([...values].flatMap(([key, value]) => storedFence(host.name, key, value))),
    jobs: units.filter((unit) => !unit.endsWith('-undo')),
    armed: units.filter((unit) => unit.endsWith('-undo')).map((unit) => unit.slice(0, -'-undo'.length)),
  };
}

function freeSpace(key: string, value: string): HostFacts['free'] {
  if (!key.startsWith('free:')) return [];
  const [bytes, inodes] = value.split(' ').map((text) => (/^\d+$/.test(text) ? Number(text) : undefined));
  if (bytes === undefined) return [];
  // A file system that does not count inodes says 0 of 0.
  return [{ directory: key.slice('free:'.length), bytes, ...(inodes === undefined ? {} : { inodes }) }];
}

function storedFence(host: string, key: string, value: string): [string, Fence][] {
  if (!key.startsWith('fence:')) return [];
  const name = decodeName(key.slice('fence:'.length));
  if (name === undefined) return [];
  const fence = parseFence(value);
  if (fence === undefined)
    throw new RotateError(
      'Internal',
      `what was stored for ${name} in ${stateDirectory}/fence on ${host} is damaged`,
      {
        host,
        hint: `remove that file on ${host} while \`rotate status\` shows no rotation of it; by it late attempts are told from new ones`,
      },
    );
  return [[name, fence]];
}
