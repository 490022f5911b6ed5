/** A host's journal, read by its own journalctl because the files are compressed. */
import type { CanaryHost } from '../host.js';
import { runOn, streamFrom } from '../host.js';
import { Inspector } from '../inspector.js';
import type { Place } from '../place.js';

/** All boots and all units. The decoy is logged by a program, in a message so long that journald compresses it. */
export function journalPlace(host: CanaryHost): Place {
  return {
    name: `journal of ${host.name}`,
    async search(needles, signal) {
      const inspector = new Inspector(needles, signal);
      await inspector.stream(
        `journal of ${host.name}`,
        streamFrom(host, 'journalctl --sync; journalctl --quiet --no-pager --all --merge --output=export'),
      );
      return inspector.hits;
    },
    async plant(decoy) {
      await runOn(
        host,
        'systemd-cat -t rotate-canary',
        `connecting with ${decoy} ${'and so on '.repeat(200)}\n`,
      );
      return [`journal of ${host.name}`];
    },
  };
}
