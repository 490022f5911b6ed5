/**
 * The composition root: makes the worker from its configuration. The only place
 * that knows every part.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { createActivities } from '../activities/index.js';
import type { Services } from '../activities/ports.js';
import { connect } from '../client/connection.js';
import { registerSearchAttributes } from '../client/register.js';
import type { EndpointOptions } from '../client/endpoint.js';
import { lookUpClaim, releaseClaim, stateOfRotation } from '../client/claims.js';
import type { DevState } from '../client/dev-state.js';
import { loadCodecKeys } from '../codec/keyring.js';
import { loadSealer } from '../codec/seal.js';
import { findWorkerYaml } from '../config/find-file.js';
import { checkPrivateFile } from '../config/private-file.js';
import { loadWorkerYaml, type WorkerSpec } from '../config/worker-yaml.js';
import { RotateError } from '../domain/failure.js';
import { kinds } from '../kinds/registry.js';
import { Clone } from '../repo/clone.js';
import { discover, type Checkout } from '../repo/discover.js';
import { gitEnvironment, sshCommand } from '../repo/git.js';
import { parseIdentities, type AgeIdentity } from '../stores/age/identity.js';
import { parseSecret, renderSecret } from '../stores/format/format.js';
import { taskQueue } from '../workflows/messages.js';
import { startDevServer } from './dev-server.js';
import { declaredCommands } from './declared-commands.js';
import { makeFleetPort } from './fleet-port.js';
import { gitLauncher } from './git-launcher.js';
import { ensureDevKeys, removeTemporalConfig, writeTemporalConfig } from './keys.js';
import { makeNotifiers } from './notifiers.js';
import { readFromStore, readLogin } from './read-login.js';
import { makeRepoPort } from './repo-port.js';
import { connectWorker, startWorker } from './run-worker.js';
import { installRuntime } from './runtime.js';
import { Snapshots } from './snapshots.js';

export interface RunOptions {
  /** Ends the worker: running activities get 30 s. */
  signal: AbortSignal;
  /** Tells a person what happens, one line each. */
  log: (line: string) => void;
  env?: NodeJS.ProcessEnv;
}

/** Runs the worker of worker.yaml until `signal`. @throws RotateError BadConfig, TemporalUnreachable, … */
export async function runWorker(options: RunOptions & { configPath?: string }): Promise<void> {
  const env = options.env ?? process.env;
  const path = findWorkerYaml(options.configPath, env);
  const spec = await loadWorkerYaml(path);
  await work(spec, undefined, options);
}

/**
 * Runs an embedded Temporal server and a worker for the repo at `cwd` until `signal`. Makes keys and worker.yaml
 * where they are absent, and keeps all state.
 */
export async function runDev(
  options: RunOptions & { cwd: string; port?: number; tuned?: boolean },
): Promise<void> {
  const env = options.env ?? process.env;
  const checkout = await discover(options.cwd);
  const state = await ensureDevKeys(checkout.root, env);
  if (!existsSync(state.workerConfig)) {
    await writeDevConfig(state, checkout, env);
    options.log(`wrote ${state.workerConfig}: look at it, above all at \`ssh\` and \`logins\``);
  }
  const spec = await loadWorkerYaml(state.workerConfig);
  const server = await startDevServer({
    databaseFile: state.databaseFile,
    ...(options.port === undefined ? {} : { port: options.port }),
    ...(options.tuned === undefined ? {} : { tuned: options.tuned }),
  });
  try {
    await writeTemporalConfig(state, server);
    options.log(`Temporal serves at ${server.address}, its state is ${server.databaseFile}`);
    await work(spec, { address: server.address, namespace: server.namespace }, options);
  } finally {
    await removeTemporalConfig(state);
    await server.stop();
  }
}

async function work(spec: WorkerSpec, server: EndpointOptions['server'], options: RunOptions): Promise<void> {
  const env = options.env ?? process.env;
  const keyFiles = [...spec.identities, ...spec.codecKeys];
  if (spec.ssh.identityFile !== undefined) keyFiles.push(spec.ssh.identityFile);
  for (const path of keyFiles) await checkPrivateFile(path);
  const codecKeys = await loadCodecKeys(spec.codecKeys);
  installRuntime();
  const endpoint = {
    env,
    profile: spec.temporal.profile,
    ...(server === undefined ? {} : { server }),
  };
  const connection = await connectWorker(endpoint);
  try {
    const temporal = await connect({ ...endpoint, codecKeys });
    try {
      await registerSearchAttributes(temporal);
      const { services, close } = await makeServices(spec, env, {
        lookUp: (claim) => lookUpClaim(temporal.client, claim),
        stateOf: (rotation) => stateOfRotation(temporal.client, rotation),
        release: (claim, holder) => releaseClaim(temporal.client, claim, holder),
      });
      options.log(
        `seals to ${services.recipients[0] ?? ''}; this recipient must be in the rules of what it rotates`,
      );
      const worker = await startWorker({
        connection: connection.connection,
        namespace: connection.endpoint.namespace,
        taskQueue,
        activities: createActivities(services),
        codecKeys,
      });
      options.log(`worker listens on \`${taskQueue}\` at ${connection.endpoint.address}`);
      const stop = (): void => void worker.stop().catch(() => {});
      options.signal.addEventListener('abort', stop, { once: true });
      if (options.signal.aborted) stop();
      try {
        await worker.ended;
      } finally {
        close();
      }
    } finally {
      await temporal.close();
    }
  } finally {
    await connection.close();
  }
}

/** Everything that the activities need, from the worker's configuration. */
async function makeServices(
  spec: WorkerSpec,
  env: NodeJS.ProcessEnv,
  claims: Services['claims'],
): Promise<{ services: Services & { recipients: readonly string[] }; close: () => void }> {
  const sealer = await loadSealer(spec.identities);
  const keyring: AgeIdentity[] = [];
  for (const path of spec.identities)
    keyring.push(...(await parseIdentities(await readFile(path, 'utf8'), path)));
  const git = gitEnvironment(env, {
    sshCommand: sshCommand({
      knownHosts: spec.ssh.knownHosts,
      ...(spec.ssh.identityFile === undefined ? {} : { identityFile: spec.ssh.identityFile }),
    }),
  });
  const launcher = gitLauncher();
  const clone = await Clone.open({
    remote: spec.repo,
    stateDir: spec.state,
    environment: git,
    runProcess: launcher.run,
  });
  const snapshots = new Snapshots(clone, keyring);
  const repo = makeRepoPort(clone, snapshots);
  const notifiers = await makeNotifiers(spec.notify);
  const fleet = makeFleetPort({ spec, clone, env });
  return {
    services: {
      repo,
      fleet: fleet.port,
      claims,
      formats: { parse: parseSecret, render: renderSecret },
      kinds,
      sealer,
      recipients: sealer.recipients,
      notifiers,
      commands: declaredCommands(spec.commands, env),
      login: (name, to) =>
        readLogin(spec.logins, { name, to }, async (path) =>
          readFromStore(clone, keyring, { branch: await repo.mainBranch(), path }),
        ),
      examineWorker: () => fleet.examine(),
    },
    close: () => {
      fleet.close();
      launcher.close();
    },
  };
}

async function writeDevConfig(
  state: DevState,
  { root, remoteUrl: remote }: Checkout,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  if (remote === undefined) {
    throw new RotateError('BadConfig', `${root} has no remote, and the worker works on a remote`, {
      hint: 'push it to where the worker can clone it from: `git remote add origin URL`, then `git push -u origin HEAD`',
    });
  }
  const home = env['HOME'] ?? homedir();
  const key = ['id_ed25519', 'id_rsa']
    .map((name) => join(home, '.ssh', name))
    .find((path) => existsSync(path));
  const agent = env['SSH_AUTH_SOCK'] !== undefined;
  if (!agent && key === undefined) {
    throw new RotateError(
      'BadConfig',
      'there is neither an SSH agent nor a key in ~/.ssh to reach the hosts with',
      {
        hint: 'start an agent, or make a key with `ssh-keygen -t ed25519`, and start `rotate dev` again',
      },
    );
  }
  const config = {
    version: 1,
    repo: remote,
    state: join(state.folder, 'state'),
    identities: [state.identityFile],
    codecKeys: [state.codecKeyFile],
    ssh: {
      ...(agent || key === undefined ? { agent: true } : { identityFile: key }),
      knownHosts: join(home, '.ssh', 'known_hosts'),
    },
  };
  await writeFile(state.workerConfig, stringify(config), { mode: 0o600, flag: 'wx' });
}
