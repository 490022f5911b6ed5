/**
 * The one effect on a host: converge it to a system. Starts the detached job, or attaches to the one that is
 * under way, waits for its end whatever happens to the connection, and confirms over a new connection.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { asRotateError, RotateError } from '../../domain/failure.js';
import { formatFence } from '../../domain/fence.js';
import type { FailureType } from '../../domain/failure.js';
import type { PooledHost } from '../ssh/pool.js';
import { keyValues } from '../remote-paths.js';
import { jobScript } from './job-script.js';
import type { JobRequest } from './job-script.js';
import { confirmation, confirmScript, parseStatus, startScript, statusScript } from './protocol.js';
import type { JobResult, JobStatus } from './protocol.js';

export interface ConvergeOptions {
  /** Called at least every few seconds while waiting, with what is being waited for. */
  heartbeat?: (note: string) => void;
  /** Stops waiting; the job on the host goes on. */
  signal?: AbortSignal;
  /** How long the host may be out of reach before that is reported. Default: dead man's time and 3 min. */
  patienceMs?: number;
  /** How long to wait for the end in all. Default 14 min. */
  timeoutMs?: number;
}

export interface ConvergeResult {
  /**
   * `switched`: the host runs, boots and has in its profile what was asked for, and could be reached afterwards.
   * `already`: it did before. `undone-by-dead-man`: it could not be reached in time and has put the old system
   * back. `failed`: switch-to-configuration failed, see `rc`, `newlyFailed` and `undone`.
   */
  outcome: 'switched' | 'already' | 'undone-by-dead-man' | 'failed';
  /** Exit code of switch-to-configuration (of the undo: `undoRc`). */
  rc?: number;
  undoRc?: number;
  /** Units that failed in this switch and had not before. Exit code 4 without any counts as switched. */
  newlyFailed: string[];
  /** Units that the switch itself restarted or started. */
  restartedUnits: string[];
  /** The old system runs again, and is profile and boot default. */
  undone: boolean;
  /** The host's monotonic clock at the end of the switch (or of the undo), in microseconds. */
  endedMonotonicUs: number;
  /** What went wrong besides, in a few words. */
  detail?: string;
}

/**
 * Converges `host` to `request.to`. Safe to call twice, late, and after a reboot, with the same id.
 * @throws RotateError Superseded (a higher fence is stored), HostMoved (something else runs), HostBusy (another
 *   switch holds a lock), NoSpace, CopyFailed (the closure is not there), HostUnreachable, HostUnknownOutcome,
 *   Timeout, HostKeyMismatch, HostAuthFailed. When `signal` aborts: its reason.
 */
export async function converge(
  host: PooledHost,
  request: JobRequest,
  options: ConvergeOptions = {},
): Promise<ConvergeResult> {
  const patience = new Patience(host.name, request, options);
  try {
    await start(host, request, options.signal);
  } catch (error) {
    // It may have begun: asking again starts nothing twice.
    if (asRotateError(error)?.type !== 'HostUnknownOutcome') throw error;
    await patience.reach('the host', () => start(host, request, options.signal));
  }
  let starts = 1;
  for (;;) {
    const status = await patience.reach('the switch', () => look(host, request.jobId, options.signal));
    if (status.undone !== undefined) return undoneByDeadMan(status, status.undone);
    if (status.state === 'running') continue;
    if (status.state !== 'finished' || status.result === undefined) {
      // The host rebooted or the job was killed. Whatever was done, the job finds out where the system is.
      if (starts === 3)
        throw new RotateError('HostUnknownOutcome', `the switch on ${host.name} was lost ${starts} times`, {
          host: host.name,
          hint: `see \`journalctl -u rotate-${request.jobId}\` on ${host.name}`,
        });
      await patience.reach('the host', () => start(host, request, options.signal));
      starts += 1;
      continue;
    }
    const { result } = status;
    if (result.to !== request.to)
      throw new RotateError('Internal', `job ${request.jobId} on ${host.name} was for another system`, {
        host: host.name,
        details: { asked: request.to, was: result.to },
      });
    if (result.outcome === 'failed') return summary('failed', result);
    if (result.outcome !== 'switched' && result.outcome !== 'already')
      throw refusal(host.name, request, result);
    const answer = await patience.try('a new connection', () => confirm(host, request, options.signal));
    // When no new connection is let in, the dead man may have acted: look again, through the kept one.
    if (answer?.value !== 'confirmed') continue;
    return summary(result.outcome, result);
  }
}

async function start(host: PooledHost, request: JobRequest, signal: AbortSignal | undefined): Promise<void> {
  const { code, stderr } = await host.run({
    script: startScript,
    args: [request.jobId],
    input: new TextEncoder().encode(jobScript(request)),
    timeoutMs: 30_000,
    ...(signal === undefined ? {} : { signal }),
  });
  if (code === 0) return;
  const said = stderr.trim().slice(0, 4096);
  if (/No space left|quota exceeded/.test(said)) throw noSpace(host.name, said);
  throw new RotateError('SwitchFailed', `cannot start the switch on ${host.name}: ${said}`, {
    host: host.name,
    hint: 'check systemd and /var/lib/rotate on the host',
  });
}

async function look(host: PooledHost, jobId: string, signal: AbortSignal | undefined): Promise<JobStatus> {
  const { code, stdout, stderr } = await host.run({
    script: statusScript,
    args: [jobId, '60'],
    timeoutMs: 20_000,
    ...(signal === undefined ? {} : { signal }),
  });
  if (code !== 0)
    throw new RotateError(
      'HostUnknownOutcome',
      `cannot look at the switch on ${host.name}: ${stderr.trim()}`,
      {
        host: host.name,
        hint: `see /var/lib/rotate on ${host.name}`,
      },
    );
  return parseStatus(host.name, stdout);
}

/** Over a connection of its own, because a kept one may live on where no new one is let in. */
async function confirm(
  host: PooledHost,
  request: JobRequest,
  signal: AbortSignal | undefined,
): Promise<'confirmed' | 'again'> {
  const fresh = await host.freshConnection();
  try {
    const { stdout } = await fresh.run({
      script: confirmScript,
      args: [request.jobId, request.to],
      timeoutMs: 15_000,
      ...(signal === undefined ? {} : { signal }),
    });
    const said = confirmation.parse(Object.fromEntries(keyValues(stdout)));
    if (said.answer === 'confirmed') return 'confirmed';
    if (said.answer === 'busy' || said.answer === 'undone') return 'again';
    throw moved(
      host.name,
      request,
      said.answer === 'profile' ? 'something else in its profile' : said.current,
    );
  } finally {
    fresh.close();
  }
}

/** Bears with a host that is out of reach while it switches, for a while; the dead man brings it back. */
class Patience {
  readonly #host: string;
  readonly #options: ConvergeOptions;
  readonly #patienceMs: number;
  readonly #deadline: number;
  /** Since when each kind of access has failed. */
  readonly #troubleSince = new Map<string, number>();

  constructor(host: string, request: JobRequest, options: ConvergeOptions) {
    this.#host = host;
    this.#options = options;
    this.#patienceMs = options.patienceMs ?? request.deadManMs + 180_000;
    this.#deadline = Date.now() + (options.timeoutMs ?? 14 * 60_000);
  }

  /** Tries `action` until the host answers. */
  async reach<T>(what: string, action: () => Promise<T>): Promise<T> {
    for (;;) {
      const answer = await this.try(what, action);
      if (answer !== undefined) return answer.value;
    }
  }

  /** Tries `action` once; undefined when the host could not be reached and there is patience left. */
  async try<T>(what: string, action: () => Promise<T>): Promise<{ value: T } | undefined> {
    const { signal, heartbeat } = this.#options;
    signal?.throwIfAborted();
    heartbeat?.(`waiting for ${what}`);
    const now = Date.now();
    if (now > this.#deadline)
      throw new RotateError('Timeout', `the switch on ${this.#host} has not ended`, {
        host: this.#host,
        hint: `see what it waits for: \`systemctl list-jobs\` on ${this.#host}`,
      });
    try {
      const value = await action();
      this.#troubleSince.delete(what);
      return { value };
    } catch (error) {
      signal?.throwIfAborted();
      const type = asRotateError(error)?.type;
      const since = this.#troubleSince.get(what) ?? now;
      if (type === undefined || !bearable.includes(type) || now - since > this.#patienceMs) throw error;
      this.#troubleSince.set(what, since);
      await pause(500);
      return undefined;
    }
  }
}

/** What a switch may cause for a while, or for good until the dead man acts: also new keys of sshd. */
const bearable: readonly FailureType[] = [
  'HostUnreachable',
  'HostUnknownOutcome',
  'HostAuthFailed',
  'HostKeyMismatch',
  'HostBusy',
  'Timeout',
];

function summary(outcome: ConvergeResult['outcome'], result: JobResult): ConvergeResult {
  return {
    outcome,
    ...(result.rc === undefined ? {} : { rc: result.rc }),
    ...(result.undoRc === undefined ? {} : { undoRc: result.undoRc }),
    newlyFailed: result.newlyFailed,
    restartedUnits: result.restartedUnits,
    undone: result.undone,
    endedMonotonicUs: result.endedMonotonicUs,
    ...(result.detail === '' ? {} : { detail: result.detail }),
  };
}

function undoneByDeadMan(status: JobStatus, undone: NonNullable<JobStatus['undone']>): ConvergeResult {
  return {
    outcome: 'undone-by-dead-man',
    ...(status.result?.rc === undefined ? {} : { rc: status.result.rc }),
    ...(undone.rc === undefined ? {} : { undoRc: undone.rc }),
    newlyFailed: status.result?.newlyFailed ?? [],
    restartedUnits: status.result?.restartedUnits ?? [],
    undone: undone.complete,
    endedMonotonicUs: undone.endedMonotonicUs,
  };
}

/** The error for a job that changed nothing. */
function refusal(host: string, request: JobRequest, result: JobResult): RotateError {
  switch (result.outcome) {
    case 'superseded':
      return new RotateError(
        'Superseded',
        `${host} has been told something later: its fence is ${result.stored}, that of this attempt ${formatFence(request.fence)}`,
        {
          host,
          hint: 'this attempt came too late and changed nothing; see `rotate status`',
          details: { stored: result.stored },
        },
      );
    case 'moved':
      return moved(host, request, result.current);
    case 'busy':
      return new RotateError('HostBusy', `${result.detail || 'another switch is under way'} on ${host}`, {
        host,
        hint: 'wait until it has ended',
      });
    case 'no-space':
      return noSpace(host, result.detail);
    case 'absent':
      return new RotateError('CopyFailed', `${request.to} is not on ${host}`, {
        host,
        hint: 'it is copied again; check for garbage collection on the host',
      });
    default:
      return new RotateError('SwitchFailed', `${host} refused the switch: ${result.detail}`, {
        host,
        hint: 'check the files under /var/lib/rotate on the host',
      });
  }
}

function moved(host: string, request: JobRequest, current: string | undefined): RotateError {
  return new RotateError(
    'HostMoved',
    `${host} runs ${current || 'something else'}: someone else has deployed`,
    {
      host,
      hint: 'see what was deployed there; rotate does not overwrite it',
      details: { current: current ?? '', expected: [...request.from, request.to] },
    },
  );
}

function noSpace(host: string, said: string): RotateError {
  return new RotateError('NoSpace', `no disk space on ${host}: ${said}`.slice(0, 4096), {
    host,
    hint: 'free some, e.g. with nix-collect-garbage, and try again; nothing was switched',
  });
}
