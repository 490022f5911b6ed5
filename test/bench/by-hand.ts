/** Runs by-hand.sh, the rotation as a shell script, on a fleet of the benchmarks. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../../infra/fleet/lab.js';
import { run } from '../../infra/fleet/run.js';
import { database, rules, stableSeconds, variable, type BenchFleet, type BenchSecret } from './fleet.js';

const script = join(projectRoot, 'test', 'bench', 'by-hand.sh');

export interface ByHand {
  rotate(secret: BenchSecret): Promise<void>;
  /** Ends the kept connections. */
  close(): Promise<void>;
}

/** The operator: the same strict SSH as the lab's, with one kept connection a host. */
export async function makeByHand(fleet: BenchFleet): Promise<ByHand> {
  const scratch = join(fleet.folder, 'by-hand');
  await mkdir(scratch, { recursive: true, mode: 0o700 });
  const sshConfig = join(scratch, 'ssh_config');
  const strict = await readFile(fleet.inventory.sshConfig, 'utf8');
  await writeFile(
    sshConfig,
    `${strict}  ControlMaster auto\n  ControlPath ${scratch}/%n.control\n  ControlPersist yes\n`,
  );
  return {
    async rotate(secret) {
      const [a, b] = secret.roles;
      await run('bash', [script], {
        env: {
          ...fleet.env,
          CLONE: fleet.clone,
          SSH_CONFIG: sshConfig,
          SCRATCH: scratch,
          IDENTITY: fleet.state.identityFile,
          HOSTS: fleet.hosts.join(' '),
          DATABASE_HOST: database,
          SECRET: secret.name,
          FILE: secret.file,
          RULES: rules,
          VARIABLE: variable,
          OWNER: secret.owner,
          ROLE_A: a,
          ROLE_B: b,
          STABLE: String(stableSeconds),
        },
      });
    },
    async close() {
      for (const host of [database, ...fleet.hosts]) {
        // Where none was opened there is nothing to end.
        await run('ssh', ['-F', sshConfig, '-O', 'exit', host], { env: fleet.env, accept: 'any' });
      }
    },
  };
}
