/** Runs by-hand.sh, the rotation as a shell script, on a fleet of the benchmarks. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { jobScript } from '../../hosts/job/job-script.js';
import { confirmScript, startScript, statusScript } from '../../hosts/job/protocol.js';
import { commandLine } from '../../hosts/ssh/shell.js';
import { projectRoot } from '../../infra/fleet/lab.js';
import { run } from '../../infra/fleet/run.js';
import { database, rules, stableSeconds, variable, type BenchFleet, type BenchSecret } from './fleet.js';

const script = join(projectRoot, 'test', 'bench', 'by-hand.sh');

/** In the place of what a host runs and is to run, which are known when they are built. */
const from = `/nix/store/${'0'.repeat(32)}-from`;
const to = `/nix/store/${'0'.repeat(32)}-to`;

/** The switch is the same on both sides: a job on the host, as only the host can say how it ended. */
function switching({ name }: BenchSecret): Record<string, string> {
  const now = Date.now();
  const id = `by-hand-${now}`;
  const line = (text: string, ...args: string[]): string => commandLine(text, args, { type: 'direct' });
  return {
    ID: id,
    JOB: jobScript({
      jobId: id,
      from: [from],
      to,
      // A fence of its own: that of `rotate` is not to be raised.
      secrets: [`by-hand/${name}`],
      fence: { epoch: Math.floor(now / 1000), seq: 0 },
      deadManMs: 60_000,
      pin: id,
      tolerate: [`${name}.service`],
    }),
    START: line(startScript, id),
    STATUS: line(statusScript, id, '60'),
    CONFIRM: line(confirmScript, id, to),
    FROM: from,
    TO: to,
  };
}

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
          ...switching(secret),
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
