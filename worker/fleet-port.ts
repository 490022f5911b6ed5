/** The hosts' side of the activities, over SSH and this machine's nix. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { FleetPort, HostEvaluation, Pulse, Snapshot } from '../activities/ports.js';
import type { WorkerSpec } from '../config/worker-yaml.js';
import type { DoctorFinding } from '../domain/doctor.js';
import { RotateError } from '../domain/failure.js';
import type { ConfigSpec, HostSpec } from '../domain/spec.js';
import { readFacts } from '../hosts/facts.js';
import { converge } from '../hosts/job/converge.js';
import { dryActivate } from '../hosts/job/dry-activate.js';
import { unpinSystems } from '../hosts/job/pins.js';
import { build } from '../hosts/nix/build.js';
import { copy } from '../hosts/nix/copy.js';
import { evaluate } from '../hosts/nix/evaluate.js';
import { nixEnvironment } from '../hosts/nix/process.js';
import { runProbe } from '../hosts/probe.js';
import { inspectFile, tryOpen } from '../hosts/secret-file.js';
import type { SshAuth } from '../hosts/ssh/connection.js';
import { SshPool, type PooledHost } from '../hosts/ssh/pool.js';
import { SharedConnection } from '../hosts/ssh/shared-connection.js';
import { writeSshConfig, type SshConfig } from '../hosts/ssh/ssh-config.js';
import { unitStates, type UnitState } from '../hosts/unit-state.js';
import { restartUnits } from '../hosts/units.js';
import type { Clone } from '../repo/clone.js';
import { cached } from './cached.js';
import { exists } from './exists.js';
import { findPrograms } from './find-programs.js';

/** Builds and evaluations; a rotation needs three a host. */
const kept = 5_000;
/** Milliseconds that a build is taken to be there where this process cannot see it: Nix may have a store elsewhere. */
const unseenMs = 60_000;

export interface FleetOptions {
  spec: WorkerSpec;
  clone: Clone;
  env: NodeJS.ProcessEnv;
}

/** What is known about how to reach the hosts of one configuration. */
interface Reach {
  pool: SshPool;
  ssh: Promise<SshConfig>;
  /** Of a single host: for what Nix copies to it. */
  shared?: SharedConnection;
}

export function makeFleetPort(options: FleetOptions): {
  port: FleetPort;
  examine(): Promise<DoctorFinding[]>;
  close(): void;
} {
  const { spec, clone, env } = options;
  const auth = authOf(spec, env);
  /** By the hosts' own text: a changed address or key must not be reached by an old connection. */
  const reaches = new Map<string, Reach>();
  const evaluations = new Map<string, Promise<HostEvaluation>>();
  /** What this process has built: a commit's system does not change, but it may be collected. */
  const builds = new Map<string, { toplevel: string; at: number }>();

  function reach(hosts: readonly HostSpec[]): Reach {
    const key = JSON.stringify(hosts);
    let known = reaches.get(key);
    if (known === undefined) {
      const name = createHash('sha256').update(key).digest('hex').slice(0, 16);
      const ssh = writeSshConfig({
        directory: join(spec.state, 'ssh', name),
        hosts,
        auth,
        knownHosts: spec.ssh.knownHosts,
      });
      // Whoever needs it awaits it, and gets the failure; the next one tries anew.
      ssh.catch(() => reaches.delete(key));
      known = { pool: new SshPool({ hosts, auth, knownHosts: spec.ssh.knownHosts }), ssh };
      reaches.set(key, known);
    }
    return known;
  }
  /** What Nix copies through. */
  async function sharedBy(host: HostSpec): Promise<SharedConnection> {
    const known = reach([host]);
    const ssh = await known.ssh;
    known.shared ??= new SharedConnection({ ssh, host: host.name, environment: nixEnvironment(env) });
    return known.shared;
  }
  /** The kept connection to a host; one for all who ask. */
  const pooled = (host: HostSpec): PooledHost => reach([host]).pool.host(host.name);

  const port: FleetPort = {
    access: (config) => ({ host: (name) => pooled(hostNamed(config, name)) }),

    async facts(host, signal) {
      const facts = await readFacts(pooled(host), signal);
      if (facts.running === undefined || facts.profile === undefined) {
        throw new RotateError(
          'HostUnknownOutcome',
          `${host.name} has no system profile, which every NixOS host has`,
          {
            host: host.name,
            hint: `see that ${host.address} is ${host.name}, and correct \`hosts.${host.name}\` in rotate.yaml`,
          },
        );
      }
      const free = (directory: string): number =>
        facts.free.find((f) => f.directory === directory)?.bytes ?? Number.MAX_SAFE_INTEGER;
      const [job] = facts.jobs;
      return {
        bootId: facts.bootId,
        running: facts.running,
        profile: facts.profile,
        ...(facts.bootDefault === undefined ? {} : { booted: facts.bootDefault }),
        freeBytes: { store: free('/nix/store'), state: free('/var/lib') },
        fences: [...facts.fences].map(([secret, fence]) => ({ secret, fence })),
        ...(job === undefined ? {} : { job }),
      };
    },

    evaluate(host, snapshot, pulse) {
      return cached(evaluations, kept, `${snapshot.commit}:${host.configuration}`, () =>
        readEvaluation(clone, env, host, snapshot, pulse),
      );
    },

    async tryOpen(host, evaluation, ciphertext, signal) {
      await tryOpen(pooled(host), ciphertext, evaluation, signal);
    },

    async build(host, snapshot, pulse) {
      const { config, commit } = snapshot;
      const key = `${commit}:${host.configuration}`;
      const known = builds.get(key);
      if (known !== undefined && (Date.now() - known.at < unseenMs || (await exists(known.toplevel))))
        return known.toplevel;
      // What is built is copied next: the connection for that opens meanwhile. Who copies is told what is wrong with it.
      void sharedBy(host).then(
        (shared) => shared.ready(),
        () => undefined,
      );
      const builder = host.build === 'worker' ? undefined : hostNamed(config, host.build);
      const { ssh } = reach([
        host,
        ...(builder === undefined || builder.name === host.name ? [] : [builder]),
      ]);
      const toplevel = await build({
        repository: clone.gitDir,
        commit,
        flakeDir: config.repo.flake,
        configuration: host.configuration,
        ...(builder === undefined ? {} : { buildHost: builder.name }),
        ssh: await ssh,
        environment: env,
        ...progress(pulse),
      });
      builds.set(key, { toplevel, at: Date.now() });
      const [oldest] = builds.keys();
      if (builds.size > kept && oldest !== undefined) builds.delete(oldest);
      return toplevel;
    },

    async copy(host, toplevel, pulse) {
      const [{ ssh }, shared] = [reach([host]), await sharedBy(host)];
      try {
        await copy({ toplevel, host, ssh: await ssh, shared, environment: env, ...progress(pulse) });
      } catch (error) {
        // It may have been collected: the next attempt builds it again.
        for (const [key, built] of builds) if (built.toplevel === toplevel) builds.delete(key);
        throw error;
      }
    },

    dryActivate: (host, toplevel, pulse) => dryActivate(pooled(host), toplevel, { signal: pulse.signal }),

    async converge(host, job, pulse) {
      const result = await converge(
        pooled(host),
        {
          jobId: job.id,
          from: job.from,
          to: job.to,
          secrets: job.secrets,
          fence: job.fence,
          deadManMs: job.deadManMs,
          pin: job.rotation,
          onFailure: job.onFailure,
          tolerate: job.tolerate,
        },
        { heartbeat: (note) => pulse.heartbeat(note), signal: pulse.signal },
      );
      const where = result.undone ? 'the old system runs again' : 'the old system was not put back';
      if (result.outcome === 'undone-by-dead-man') {
        throw new RotateError(
          'SwitchFailed',
          `${host.name} could not be reached after the switch and has put the old system back`,
          {
            host: host.name,
            hint: `see whether the new system changes the network or the firewall of ${host.name}`,
          },
        );
      }
      if (result.outcome === 'failed') {
        const units =
          result.newlyFailed.length === 0 ? '' : `; newly failed: ${result.newlyFailed.join(', ')}`;
        throw new RotateError(
          'SwitchFailed',
          `${host.name}: switch-to-configuration ended with ${result.rc ?? 'no exit code'}${units}; ${where}${result.detail === undefined ? '' : ` (${result.detail})`}`,
          { host: host.name, hint: `\`journalctl -u rotate-${job.id}\` on ${host.name} tells why` },
        );
      }
      return { installedAtUs: result.endedMonotonicUs, newlyFailed: result.newlyFailed };
    },

    async restart(host, units, { sinceUs, stableMs }, pulse) {
      const result = await restartUnits(pooled(host), units, {
        installedMonotonicUs: sinceUs,
        stableMs,
        heartbeat: (note) => pulse.heartbeat(note),
        signal: pulse.signal,
      });
      return {
        restarted: [...result.restarted, ...result.reloaded],
        runningForMs: result.runningForMs,
      };
    },

    async units(host, units, signal) {
      const { states } = await unitStates(pooled(host), units, signal);
      return states.map((state) => ({
        unit: state.unit,
        ok: isUp(state),
        state: `${state.activeState} (${state.subState})`,
        startedAtUs: state.startedMonotonicUs,
      }));
    },

    async inspectFile(host, path, signal) {
      const file = await inspectFile(pooled(host), path, signal);
      if (file === undefined) {
        throw new RotateError('VerifyFailed', `${host.name}: there is no ${path}`, {
          host: host.name,
          hint: `see whether agenix ran there: \`journalctl -b\` on ${host.name}`,
        });
      }
      return {
        sha256: file.sha256,
        owners: [file.owner, String(file.uid)],
        groups: [file.group, String(file.gid)],
        mode: file.mode,
        inStore: file.inStore,
        installedAtUs: file.installedMonotonicUs,
      };
    },

    probe: (host, probe, signal) => runProbe(pooled(host), probe, signal),
    unpin: (host, rotation) => unpinSystems(pooled(host), rotation),
  };
  return {
    port,
    examine: () => findPrograms(env),
    close: () => {
      for (const { pool, shared } of reaches.values()) {
        pool.close();
        shared?.close();
      }
    },
  };
}

function authOf(spec: WorkerSpec, env: NodeJS.ProcessEnv): SshAuth {
  if (spec.ssh.identityFile !== undefined) return { identityFile: spec.ssh.identityFile };
  const agent = env['SSH_AUTH_SOCK'];
  if (agent !== undefined) return { agent };
  throw new RotateError('BadConfig', 'worker.yaml wants an SSH agent, but there is none (SSH_AUTH_SOCK)', {
    hint: 'start the worker where an agent is, or name `ssh.identityFile`',
  });
}

function hostNamed(config: ConfigSpec, name: string): HostSpec {
  const host = config.hosts.find((h) => h.name === name);
  if (host !== undefined) return host;
  throw new RotateError('UnknownHost', `rotate.yaml has no host \`${name}\``, {
    hint: `hosts are: ${config.hosts.map((h) => h.name).join(', ')}`,
  });
}

/** A oneshot does not stay active: its last run counts. */
function isUp(state: UnitState): boolean {
  if (state.type === 'oneshot') return state.result === 'success' && state.activeState !== 'failed';
  return state.activeState === 'active';
}

function progress(pulse: Pulse): { signal: AbortSignal } {
  // The activity beats by a timer of its own while a build says nothing.
  return { signal: pulse.signal };
}

/** What the host's configuration evaluates to at a commit. */
async function readEvaluation(
  clone: Clone,
  env: NodeJS.ProcessEnv,
  host: HostSpec,
  snapshot: Snapshot,
  pulse: Pulse,
): Promise<HostEvaluation> {
  const files = new Map<string, Uint8Array>();
  for (const { file } of snapshot.config.secrets) {
    const bytes = await clone.readBlob(snapshot.commit, file);
    if (bytes !== undefined) files.set(file, bytes);
  }
  const found = await evaluate({
    repository: clone.gitDir,
    commit: snapshot.commit,
    flakeDir: snapshot.config.repo.flake,
    configuration: host.configuration,
    files,
    environment: env,
    ...progress(pulse),
  });
  return {
    // A host without agenix installs nothing of ours, so its age is never asked for.
    ageBin: found.ageBin ?? '',
    identityPaths: found.identityPaths,
    secrets: found.secrets.flatMap(({ file, path, owner, group, mode }) =>
      file === undefined ? [] : [{ file, path, owner, group, mode }],
    ),
  };
}
