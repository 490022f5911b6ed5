/** Whether the programs that the worker drives are there; for `rotate doctor`. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { DoctorFinding } from '../domain/doctor.js';
import { systemCode, systemReason } from '../domain/system-error.js';

const run = promisify(execFile);

const programs: readonly { name: string; args: readonly string[]; hint: string }[] = [
  { name: 'git', args: ['--version'], hint: 'install git on the worker' },
  { name: 'nix', args: ['--version'], hint: 'install Nix 2.8 or newer on the worker' },
  { name: 'nix-instantiate', args: ['--version'], hint: 'install Nix 2.8 or newer on the worker' },
  { name: 'ssh', args: ['-V'], hint: 'install OpenSSH on the worker: nix copies over it' },
];

export async function findPrograms(env: NodeJS.ProcessEnv): Promise<DoctorFinding[]> {
  const found = await Promise.all(
    programs.map(async ({ name, args, hint }): Promise<DoctorFinding> => {
      try {
        const { stdout, stderr } = await run(name, args, { env, timeout: 10_000 });
        const [version = ''] = `${stdout}${stderr}`.trim().split('\n');
        return { subject: 'worker', check: name, result: 'ok', message: version };
      } catch (error) {
        return {
          subject: 'worker',
          check: name,
          result: 'failed',
          message: `cannot run ${name}: ${reason(error)}`,
          hint,
        };
      }
    }),
  );
  return [...found, await findNixosRebuild(env), await checkSandbox(env)];
}

/** Without it a build of whoever can push to the repo reads what the worker's user can, its identity too. */
async function checkSandbox(env: NodeJS.ProcessEnv): Promise<DoctorFinding> {
  const finding = { subject: 'worker', check: 'nix sandbox' } as const;
  const flags = ['--extra-experimental-features', 'nix-command'];
  // `nix config show` since 2.20, `nix show-config` before.
  for (const command of [['config', 'show'], ['show-config']]) {
    try {
      const { stdout } = await run('nix', [...flags, ...command, '--json'], { env, timeout: 10_000 });
      const value = sandboxOf(JSON.parse(stdout));
      if (typeof value !== 'string' && typeof value !== 'boolean') continue;
      if (value === 'true' || value === true) return { ...finding, result: 'ok', message: 'on' };
      return {
        ...finding,
        result: 'warning',
        message: `sandbox = ${String(value)}: a build can read the worker’s keys`,
        hint: 'set `sandbox = true` in nix.conf of the worker',
      };
    } catch {
      // The other spelling of the command may work; if neither does, that is said below.
    }
  }
  return {
    ...finding,
    result: 'warning',
    message: 'nix does not tell whether it builds in a sandbox',
    hint: 'see that `sandbox = true` stands in nix.conf of the worker',
  };
}

function sandboxOf(config: unknown): unknown {
  if (typeof config !== 'object' || config === null || !('sandbox' in config)) return undefined;
  const { sandbox } = config;
  return typeof sandbox === 'object' && sandbox !== null && 'value' in sandbox ? sandbox.value : undefined;
}

/** It has no option that does nothing in every version, so it is only looked for. */
async function findNixosRebuild(env: NodeJS.ProcessEnv): Promise<DoctorFinding> {
  try {
    const { stdout } = await run('sh', ['-c', 'command -v nixos-rebuild'], { env, timeout: 10_000 });
    return { subject: 'worker', check: 'nixos-rebuild', result: 'ok', message: stdout.trim() };
  } catch {
    return {
      subject: 'worker',
      check: 'nixos-rebuild',
      result: 'failed',
      message: 'cannot run nixos-rebuild: it is not on the PATH of the worker',
      hint: 'on NixOS it is there; elsewhere `nix profile install nixpkgs#nixos-rebuild-ng`',
    };
  }
}

function reason(error: unknown): string {
  const code = systemCode(error);
  if (code === 'ENOENT') return 'it is not on the PATH of the worker';
  if (code !== undefined) return systemReason(error);
  return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
}
