/**
 * Arguments and environments of all processes of the machine, those of the lab's hosts included, sampled while a
 * rotation runs. They are kept in memory as they are and searched afterwards, because what to search for is not
 * known (and should not be told) before.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readSync, readdirSync } from 'node:fs';
import type { CanaryHost } from '../host.js';
import { whileRunningOn } from '../host.js';
import { Inspector } from '../inspector.js';
import type { Place } from '../place.js';

/** What tells processes apart. */
export interface SampledProcess {
  pid: number;
  argv: readonly string[];
  /** Lines of `/proc/PID/cgroup`; the unit of a host's service is in it. */
  cgroup: string;
}

export interface SamplerOptions {
  /** Between two rounds, in milliseconds; default 100. */
  intervalMs?: number;
  /** Processes whose environment holds the value by design: the app's own. */
  excludeEnviron?: (process: SampledProcess) => boolean;
  /** Bytes to keep at most; default 256 MiB. A search after that is refused. */
  mostBytes?: number;
}

/** A predicate for {@link SamplerOptions}: processes of a systemd unit, for example `app.service`. */
export function runsInUnit(...units: readonly string[]): (process: SampledProcess) => boolean {
  return ({ cgroup }) => cgroup.split(/[/\n]/).some((part) => units.includes(part));
}

/**
 * A process that was seen in so many rounds is looked at only every so many, as few that are that old `exec`; and so is
 * the environment of one whose arguments are as they were.
 */
const settled = 20;
const refresh = 40;

interface Seen {
  rounds: number;
  cmdline: string;
}

/** One for all files: `readFileSync` makes one for each that does not tell its size, thousands a second here. */
let buffer = Buffer.allocUnsafe(64 * 1024);

/** A file of a process, as Latin-1 so that bytes stay what they are; undefined when it has ended, false when it may not be read. */
function read(pid: string, file: string): string | false | undefined {
  let handle: number | undefined;
  try {
    handle = openSync(`/proc/${pid}/${file}`, 'r');
    let length = 0;
    for (;;) {
      const got = readSync(handle, buffer, length, buffer.length - length, null);
      if (got === 0) return buffer.toString('latin1', 0, length);
      length += got;
      if (length === buffer.length) buffer = Buffer.concat([buffer, Buffer.allocUnsafe(buffer.length)]);
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    if (code === 'EACCES' || code === 'EPERM') return false;
    throw error;
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}

/** Whether `pid` was started, directly or not, by this process. */
function isOurs(pid: string): boolean {
  for (let at = pid; Number(at) > 1;) {
    if (at === String(process.pid)) return true;
    const stat = read(at, 'stat') || '';
    at = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? '0';
  }
  return false;
}

export class ProcessSampler {
  /** Each distinct argument and variable, with the process that was seen with it first. */
  readonly #argv = new Map<string, string>();
  readonly #environ = new Map<string, string>();
  /** The processes of the round before, with the number of rounds that each was seen in, and its arguments. */
  #known = new Map<string, Seen>();
  readonly #options: SamplerOptions;
  #timer: NodeJS.Timeout | undefined;
  #bytes = 0;
  #failure: unknown;
  /** Processes that are neither ours nor the lab's and whose environment may not be read. */
  readonly unreadable = new Set<number>();
  /** Rounds so far. */
  rounds = 0;
  /** The longest time between two rounds, in milliseconds: shorter-lived processes can have been missed. */
  longestPauseMs = 0;

  constructor(options: SamplerOptions = {}) {
    this.#options = options;
  }

  start(): void {
    if (this.#timer !== undefined) return;
    const interval = this.#options.intervalMs ?? 100;
    let last = performance.now();
    const round = (): void => {
      const now = performance.now();
      this.longestPauseMs = Math.max(this.longestPauseMs, Math.round(now - last));
      last = now;
      try {
        this.sample();
      } catch (error) {
        this.#failure ??= error;
      }
      this.#timer = setTimeout(round, Math.max(10, interval - (performance.now() - now)));
    };
    round();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Until so many further rounds are through; at once when it does not run. */
  async passed(rounds: number): Promise<void> {
    const enough = this.rounds + rounds;
    while (this.#timer !== undefined && this.rounds < enough)
      await new Promise((resolve) => setTimeout(resolve, 10));
  }

  /** One round. */
  sample(): void {
    const known = new Map<string, Seen>();
    for (const pid of readdirSync('/proc')) {
      if (!/^\d/.test(pid)) continue;
      const before = this.#known.get(pid);
      const turn = before === undefined || (Number(pid) + this.rounds) % refresh === 0;
      const rounds = (before?.rounds ?? 0) + 1;
      if (!turn && rounds > settled) {
        known.set(pid, { ...before, rounds });
        continue;
      }
      const cmdline = read(pid, 'cmdline');
      if (cmdline === undefined) continue;
      known.set(pid, { rounds, cmdline: cmdline || '' });
      // Those without are the kernel's own.
      if (cmdline && (turn || cmdline !== before.cmdline)) this.#keep(pid, cmdline);
    }
    this.#known = known;
    this.rounds += 1;
  }

  #keep(pid: string, cmdline: string): void {
    // The group before and after: a service's process enters its group, and only then gets its environment.
    const before = read(pid, 'cgroup') || '';
    const environ = read(pid, 'environ');
    const after = read(pid, 'cgroup') || before;
    const argv = cmdline.split('\0');
    // The hierarchy that says most: with cgroup v1 there are several.
    const [group = ''] = after
      .split('\n')
      .map((line) => line.split(':').at(-1) ?? '')
      .toSorted((a, b) => b.length - a.length);
    for (const arg of argv) this.#add(this.#argv, arg, `arguments of process ${pid} in ${group}`);
    if (environ === undefined) return;
    if (environ === false) {
      // Even root may not look into what started a container; but nothing of a run may hide like that.
      if (after.includes('rotate-lab') || isOurs(pid))
        throw new Error(`the environment of process ${pid} in ${group} cannot be read`);
      this.unreadable.add(Number(pid));
      return;
    }
    const excluded = this.#options.excludeEnviron ?? (() => false);
    if ([before, after].some((cgroup) => excluded({ pid: Number(pid), argv, cgroup }))) return;
    for (const entry of environ.split('\0'))
      this.#add(this.#environ, entry, `environment of process ${pid} in ${group}`);
  }

  #add(seen: Map<string, string>, text: string, where: string): void {
    if (text.length < 8 || seen.has(text)) return;
    this.#bytes += text.length;
    if (this.#bytes <= (this.#options.mostBytes ?? 256 * 1024 * 1024)) seen.set(text, where);
  }

  /**
   * Searches all that was seen.
   * @throws Error when not all could be read or kept
   */
  async search(inspector: Inspector): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.rounds === 0) throw new Error('no process was sampled');
    if (this.#bytes > (this.#options.mostBytes ?? 256 * 1024 * 1024))
      throw new Error('more arguments and environments than the sampler can keep');
    for (const seen of [this.#argv, this.#environ])
      for (const [text, where] of seen) await inspector.bytes(where, Buffer.from(text, 'latin1'));
  }
}

/**
 * What `sampler` saw; it must still be running, so that it can see the decoys: processes with the decoy in their
 * arguments and in their environment, here and on each of `hosts`.
 */
export function processesPlace(sampler: ProcessSampler, hosts: readonly CanaryHost[] = []): Place {
  return {
    name: 'arguments and environments of processes',
    async search(needles, signal) {
      const inspector = new Inspector(needles, signal);
      await sampler.search(inspector);
      return inspector.hits;
    },
    async plant(decoy) {
      // They live until they must have been seen, however slow the machine is.
      const here = spawn('sleep', ['600'], { argv0: `rotate-canary ${decoy}`, stdio: 'ignore' });
      const there = spawn('sleep', ['600'], {
        env: { ...process.env, ROTATE_CANARY: decoy },
        stdio: 'ignore',
      });
      const ended = [once(here, 'exit'), once(there, 'exit')];
      const script = `read -r d; exec 3<&0
ROTATE_CANARY=$d sh -c 'echo; read -r x; :' <&3 & sh -c 'echo; read -r x; :' "rotate-canary-$d" <&3 & wait`;
      try {
        await sampler.passed(2);
        for (const host of hosts)
          await whileRunningOn(host, { script, input: `${decoy}-${host.name}\n`, lines: 2 }, () =>
            sampler.passed(2),
          );
      } finally {
        here.kill();
        there.kill();
      }
      await Promise.all(ended);
      return ['arguments', 'environment'].flatMap((kind) => [
        new RegExp(`^${kind} of process (${here.pid}|${there.pid}) `),
        ...hosts.map((host) => new RegExp(`^${kind} of process .*/${host.name}/`)),
      ]);
    },
  };
}
