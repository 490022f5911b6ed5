/** Keeps systems from garbage collection while a rotation may need them, as GC roots that bear its id. */
import { RotateError } from '../../domain/failure.js';
import type { RemoteHost } from '../../domain/remote.js';
import { assertId, assertStorePath } from '../remote-paths.js';

const gcroots = '/nix/var/nix/gcroots';

/** Pins `systems` on `host` under `pin`. Twice is as good as once. @throws RotateError NoSpace, CopyFailed */
export async function pinSystems(host: RemoteHost, pin: string, systems: readonly string[]): Promise<void> {
  const { code, stderr } = await host.run({
    script: `mkdir -p ${gcroots} || exit
pin=$1; shift
for p in "$@"; do
  [ -e "$p" ] || { echo "$p is not there" >&2; exit 3; }
  b=\${p#/nix/store/}
  ln -sfn "$p" "${gcroots}/rotate-$pin-\${b%%-*}" || exit
done`,
    args: [assertId(pin), ...systems.map(assertStorePath)],
    timeoutMs: 30_000,
  });
  if (code === 0) return;
  const type = /No space left/.test(stderr) ? 'NoSpace' : 'CopyFailed';
  throw new RotateError(
    type,
    `cannot protect a system on ${host.name} from garbage collection: ${stderr.trim().slice(0, 4096)}`,
    {
      host: host.name,
      hint: `see ${gcroots} and the free space on ${host.name}`,
    },
  );
}

/** Lets go of all that was pinned on `host` under `pin`. Nothing pinned is success. */
export async function unpinSystems(host: RemoteHost, pin: string): Promise<void> {
  const { code, stderr } = await host.run({
    script: `rm -f ${gcroots}/rotate-"$1"-*`,
    args: [assertId(pin)],
    timeoutMs: 30_000,
  });
  if (code !== 0)
    throw new RotateError(
      'Internal',
      `cannot give the old systems on ${host.name} back to garbage collection: ${stderr.trim().slice(0, 4096)}`,
      {
        host: host.name,
        hint: `remove ${gcroots}/rotate-${pin}-* on ${host.name}`,
      },
    );
}
