/** Twenty secrets in one batch against twenty rotations, one after another. */
import { startDev } from '../../infra/fleet/rotate.js';
import { timed, type Benchmark } from './benchmark.js';
import { makeFleet } from './fleet.js';
import { rotateAll } from './rotation.js';

const secrets = 20;
const hosts = 4;

export const batch: Benchmark = {
  name: 'batch',
  title: `${secrets} secrets on ${hosts} hosts in one batch, against ${secrets} rotations one after another`,
  async run({ log, atEnd }) {
    const fleet = await makeFleet({ name: 'batch', hosts, secrets, log });
    atEnd(() => fleet.remove());
    const dev = await startDev(fleet);
    atEnd(() => dev.stop());
    const names = fleet.secrets.map((secret) => secret.name);
    const together = rotateAll(fleet, names);
    const ours: number[] = [];
    const theirs: number[] = [];
    // Batches before and after: what slows the machine down for a while shows.
    log('a batch');
    ours.push(await timed(together));
    log('one after another');
    theirs.push(
      await timed(async () => {
        for (const name of names) await rotateAll(fleet, [name])();
      }),
    );
    log('two more batches');
    ours.push(await timed(together), await timed(together));
    return {
      comparisons: [{ what: `${secrets} secrets, ${hosts} hosts`, ours, theirs, goal: 0.15 }],
    };
  },
};
