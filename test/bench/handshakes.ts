/** Counts logins at a host's sshd, by its own journal: each is a whole SSH handshake. */
import { join } from 'node:path';
import { projectRoot } from '../../infra/fleet/lab.js';
import { run } from '../../infra/fleet/run.js';
import type { BenchFleet } from './fleet.js';

const lab = join(projectRoot, 'infra', 'lab', 'lab.sh');
/** Without the network: looking must not count. */
const count = `journalctl --sync; journalctl --quiet --output=cat | grep -c '^Accepted publickey' || true`;

export async function handshakes(fleet: BenchFleet, host: string): Promise<number> {
  const { stdout } = await run('bash', [lab, 'exec', host, '/bin/sh', '-c', count], {
    env: { ...process.env, LAB: fleet.lab.name },
  });
  return Number(stdout.trim());
}
