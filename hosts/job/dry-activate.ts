/** Asks a host what a switch would do to its units, without doing it. */
import { RotateError } from '../../domain/failure.js';
import type { RemoteHost } from '../../domain/remote.js';
import { assertStorePath } from '../remote-paths.js';

export interface DryActivation {
  stop: string[];
  start: string[];
  restart: string[];
  reload: string[];
  /** Changed units that the switch would leave as they are (restartIfChanged = false and the like). */
  skip: string[];
  restartsSystemd: boolean;
}

/**
 * Runs `toplevel`'s own dry activation on `host`, where its closure has to be already.
 * @throws RotateError HostBusy (another switch holds NixOS's lock), SwitchFailed
 */
export async function dryActivate(
  host: RemoteHost,
  toplevel: string,
  options: { signal?: AbortSignal; timeoutMs?: number } = {},
): Promise<DryActivation> {
  const { code, stdout, stderr } = await host.run({
    script: '"$1/bin/switch-to-configuration" dry-activate',
    args: [assertStorePath(toplevel)],
    timeoutMs: options.timeoutMs ?? 120_000,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  if (code === 0) return parseDryActivation(`${stdout}\n${stderr}`);
  if (/^Could not acquire lock/m.test(stderr))
    throw new RotateError('HostBusy', `another switch is under way on ${host.name}`, {
      host: host.name,
      hint: 'wait until it has ended',
    });
  throw new RotateError('SwitchFailed', `the dry run of the new system on ${host.name} ended with ${code}`, {
    host: host.name,
    hint: `run \`${toplevel}/bin/switch-to-configuration dry-activate\` on ${host.name} to see why`,
    details: { rc: code },
  });
}

/**
 * Reads what nixpkgs' switch-to-configuration prints (the Perl script and switch-to-configuration-ng): lines
 * such as `would restart the following units: a.service, b.service`; also `… as well:`, for what the activation
 * scripts ask for.
 */
export function parseDryActivation(text: string): DryActivation {
  const found = {
    stop: new Set<string>(),
    start: new Set<string>(),
    restart: new Set<string>(),
    reload: new Set<string>(),
  };
  const skip = new Set<string>();
  let restartsSystemd = false;
  for (const line of text.split('\n')) {
    if (/^would restart systemd$/.test(line)) restartsSystemd = true;
    const skipped = /^would NOT (?:stop|restart|reload) the following changed units(?: as well)?: (.*)$/.exec(
      line,
    );
    for (const unit of split(skipped?.[1])) skip.add(unit);
    const match = /^would (stop|start|restart|reload) the following units(?: as well)?:(.*)$/.exec(line);
    const verb = match?.[1];
    if (verb === 'stop' || verb === 'start' || verb === 'restart' || verb === 'reload')
      for (const unit of split(match?.[2])) found[verb].add(unit);
    // A swap device is stopped by its name, not as a unit.
    const swap = /^would stop swap device: (.*)$/.exec(line)?.[1];
    if (swap !== undefined) found.stop.add(swap.trim());
  }
  return {
    stop: [...found.stop],
    start: [...found.start],
    restart: [...found.restart],
    reload: [...found.reload],
    skip: [...skip],
    restartsSystemd,
  };
}

function split(units: string | undefined): string[] {
  return (units ?? '').split(/[,\s]+/).filter((unit) => unit !== '');
}
