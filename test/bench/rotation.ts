/** One rotation on 1, 4 and 16 hosts against the same commands in a shell script, host after host. */
import { rotate, startDev } from '../../infra/fleet/rotate.js';
import {
  inTurns,
  type BenchContext,
  type Benchmark,
  type Comparison,
  type Count,
  type Side,
} from './benchmark.js';
import { makeByHand } from './by-hand.js';
import { database, makeFleet, type BenchFleet } from './fleet.js';
import { handshakes } from './handshakes.js';

const sizes: readonly { hosts: number; rounds: number; goal?: number }[] = [
  { hosts: 1, rounds: 5, goal: 1.2 },
  { hosts: 4, rounds: 3 },
  { hosts: 16, rounds: 3, goal: 0.4 },
];

/** The kept connection, one for each copy (rehearsal and deploy; they share one), and one that confirms the switch. */
const handshakesAtMost = 4;

export const rotation: Benchmark = {
  name: 'rotation',
  title: 'one rotation, against a shell script that goes from host to host',
  async run(context) {
    const comparisons: Comparison[] = [];
    const counts: Count[] = [];
    for (const { hosts, rounds, goal } of sizes) {
      const what = `${hosts} ${hosts === 1 ? 'host' : 'hosts'}`;
      const measured = await measure(context, hosts, rounds);
      comparisons.push({ what, ...measured.times, ...(goal === undefined ? {} : { goal }) });
      counts.push({
        what: `${what}: SSH handshakes a host, most`,
        seen: Math.max(...measured.handshakes.values()),
        goal: handshakesAtMost,
      });
      context.log(
        `handshakes of a first rotation, by host: ${[...measured.handshakes].map(([host, n]) => `${host} ${n}`).join(', ')}`,
      );
    }
    return { comparisons, counts };
  },
};

async function measure(
  { log, atEnd }: BenchContext,
  hosts: number,
  rounds: number,
): Promise<{ times: { ours: number[]; theirs: number[] }; handshakes: Map<string, number> }> {
  const fleet = await makeFleet({ name: `rotation-${hosts}`, hosts, secrets: 1, log });
  atEnd(() => fleet.remove());
  const dev = await startDev(fleet);
  atEnd(() => dev.stop());
  const hand = await makeByHand(fleet);
  atEnd(() => hand.close());
  const [secret] = fleet.secrets;
  if (secret === undefined) throw new Error('the fleet has no secret');

  // The worker has no connection yet: what is counted is all that a rotation needs.
  const before = await countAll(fleet);
  log('rotating once, to count handshakes');
  await rotateAll(fleet, [secret.name])();
  const after = await countAll(fleet);
  const seen = new Map([...after].map(([host, n]) => [host, n - (before.get(host) ?? 0)]));

  log(`${rounds} rounds of both`);
  const times = await inTurns(rounds, {
    ours: rotateAll(fleet, [secret.name]),
    theirs: () => hand.rotate(secret),
  });
  await hand.close();
  await dev.stop();
  await fleet.remove();
  return { times, handshakes: seen };
}

/** `rotate start`, from the shell's prompt to the shell's prompt. */
export function rotateAll(fleet: BenchFleet, secrets: readonly string[]): Side {
  return async () => {
    const { code, stdout, stderr } = await rotate(fleet, ['start', ...secrets, '--yes', '--json']);
    if (code !== 0) throw new Error(`rotate start ended with ${code}:\n${stdout}\n${stderr}`);
  };
}

async function countAll(fleet: BenchFleet): Promise<Map<string, number>> {
  const counted = new Map<string, number>();
  for (const host of [database, ...fleet.hosts]) counted.set(host, await handshakes(fleet, host));
  return counted;
}
