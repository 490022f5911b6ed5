/** How long commands take to start, against Node itself. */
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ulid } from 'ulid';
import { stringify } from 'yaml';
import { connect } from '../../client/connection.js';
import { loadCodecKeys } from '../../codec/keyring.js';
import { rotationId } from '../../domain/ids.js';
import type { RotationStatus } from '../../domain/status.js';
import { programFile } from '../../infra/fleet/rotate.js';
import { run } from '../../infra/fleet/run.js';
import { startDevServer } from '../../worker/dev-server.js';
import { ensureDevKeys, writeTemporalConfig } from '../../worker/keys.js';
import { statusMemo, taskQueue, workflowTypes } from '../../workflows/messages.js';
import { timed, type BenchContext, type Benchmark, type Comparison } from './benchmark.js';

const rounds = 31;
const rotations = 5;

export const startUp: Benchmark = {
  name: 'start-up',
  title: 'starting a command, against starting Node',
  async run(context) {
    const { cwd, env } = await makeRepo(context);
    const commands: readonly { what: string; args: readonly string[]; goal: number }[] = [
      { what: 'rotate --help', args: ['--help'], goal: 1.5 },
      { what: 'rotate list, without a remote', args: ['list'], goal: 1.5 },
      { what: `rotate status, of ${rotations} rotations`, args: ['status'], goal: 3 },
    ];
    const node = (args: readonly string[]): Promise<number> =>
      timed(async () => {
        const { status, stderr } = spawnSync(process.execPath, args, {
          cwd,
          env,
          stdio: ['ignore', 'ignore', 'pipe'],
        });
        if (status !== 0)
          throw new Error(`node ${args.join(' ')} ended with ${status}: ${stderr.toString()}`);
      });
    // Node caches what it has compiled, from the first run on.
    for (const { args } of commands) await node([programFile, ...args]);
    context.log(`${rounds} rounds`);
    const empty: number[] = [];
    const ours = commands.map((): number[] => []);
    for (let round = 0; round < rounds; round += 1) {
      empty.push(await node(['-e', '0']));
      for (const [i, { args }] of commands.entries()) ours[i]?.push(await node([programFile, ...args]));
    }
    return {
      comparisons: commands.map(({ what, goal }, i): Comparison => ({
        what,
        goal,
        ours: ours[i] ?? [],
        theirs: empty,
      })),
    };
  },
};

/** A repo with twenty secrets, and a server that knows a few rotations. */
async function makeRepo({ atEnd }: BenchContext): Promise<{ cwd: string; env: NodeJS.ProcessEnv }> {
  const folder = await mkdtemp(join(tmpdir(), 'rotate-bench-start-up-'));
  atEnd(() => rm(folder, { recursive: true, force: true }));
  const cwd = join(folder, 'infra');
  await mkdir(cwd);
  await run('git', ['init', '--quiet', cwd]);
  await writeFile(join(cwd, 'rotate.yaml'), stringify(rotateYaml()));
  const env: NodeJS.ProcessEnv = { ...process.env, HOME: folder, XDG_STATE_HOME: join(folder, 'state') };
  for (const name of Object.keys(env)) if (/^(TEMPORAL|ROTATE)_/.test(name)) delete env[name];
  const state = await ensureDevKeys(cwd, env);
  const server = await startDevServer({ databaseFile: state.databaseFile });
  atEnd(() => server.stop());
  await writeTemporalConfig(state, server);
  await startRotations(server, state.codecKeyFile);
  return { cwd, env };
}

function rotateYaml(): unknown {
  const secret = (i: number): [string, unknown] => [
    `app-${i}`,
    {
      kind: 'postgres',
      file: `secrets/prod/app-${i}.age`,
      format: { env: 'DATABASE_URL', template: 'postgresql://{role}:{password}@db-1:5432/app' },
      postgres: {
        roles: [`app${i}_a`, `app${i}_b`],
        owner: `app${i}`,
        database: 'app',
        admin: { host: 'db-1', as: 'postgres' },
        endpoints: ['db-1:5432'],
      },
      consumers: [{ hosts: ['web-1'], units: [`app-${i}.service`] }],
    },
  ];
  return {
    version: 1,
    environments: { prod: { store: 'agenix', rules: 'secrets/prod/secrets.nix' } },
    hosts: { 'web-1': { environment: 'prod' }, 'db-1': { environment: 'prod' } },
    secrets: { prod: Object.fromEntries(Array.from({ length: 20 }, (_, i) => secret(i))) },
  };
}

/** Nobody works on them; `rotate status` reads what they say of themselves. */
async function startRotations(
  server: { address: string; namespace: string },
  codecKeyFile: string,
): Promise<void> {
  const codecKeys = await loadCodecKeys([codecKeyFile]);
  const { client, close } = await connect({ server, codecKeys });
  try {
    for (let i = 0; i < rotations; i += 1) {
      const status: RotationStatus = {
        id: ulid(),
        environment: 'prod',
        secrets: [`app-${i}`],
        state: 'running',
        startedAt: new Date().toISOString(),
        steps: [],
      };
      await client.workflow.start(workflowTypes.rotation, {
        workflowId: rotationId('prod', status.id),
        taskQueue,
        args: [],
        memo: { [statusMemo]: status },
      });
    }
  } finally {
    await close();
  }
}
