/**
 * A worker for tests of the command line: the real server, the real workflows, the real
 * codec; only the activities are stand-ins, which do as they are told. The full path,
 * with real activities, is covered by the end-to-end tests.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type {
  DueActivities,
  InspectActivities,
  NotifyActivities,
  RotationActivities,
} from '../../activities/api.js';
import { generateCodecKey, loadCodecKeys } from '../../codec/keyring.js';
import { RotateError, type FailureType } from '../../domain/failure.js';
import type { Plan } from '../../domain/plan.js';
import { taskQueue } from '../../workflows/messages.js';
import { bundleWorkflows } from '../../worker/bundle.js';
import { connectWorker, startWorker, type RunningWorker } from '../../worker/run-worker.js';
import { installRuntime } from '../../worker/runtime.js';
import { startTestTemporal, type TestTemporal } from '../support/temporal.js';

const base = '1a2b3c4d5e6f7a8b9c0d1a2b3c4d5e6f7a8b9c0d';
const at = '2026-11-23T12:00:00Z';

type Activities = RotationActivities & InspectActivities & DueActivities & NotifyActivities;

/** What goes wrong, by the name of an activity. */
export type Troubles = Partial<Record<keyof Activities, RotateError>>;

export interface TestFleet {
  temporal: TestTemporal;
  /** A person's clone, with rotate.yaml in it. */
  repo: string;
  /** Points at the server, with the codec key. */
  env: NodeJS.ProcessEnv;
  troubles: Troubles;
  /** What activities do instead of what they do here. */
  answers: Partial<Activities>;
  /** Activities named here wait until they are taken out. */
  held: Set<string>;
  startWorker(): Promise<RunningWorker>;
  stop(): Promise<void>;
}

export const rotateYaml = `version: 1
environments:
  prod: { store: agenix, rules: secrets/prod/secrets.nix }
  test: { store: agenix, rules: secrets/test/secrets.nix }
hosts:
  web-1: { environment: prod, address: 127.0.0.1, tags: [web] }
  web-2: { environment: prod, address: 127.0.0.1, tags: [web] }
  test-vm: { environment: test, address: 127.0.0.1 }
secrets:
  prod:
    db-password: &db
      kind: postgres
      file: secrets/prod/db-password.age
      format: { env: DATABASE_URL, template: "postgresql://{role}:{password}@db-1:5432/app" }
      postgres:
        roles: [app_a, app_b]
        owner: app
        database: app
        admin: { login: app-admin }
        endpoints: ["db-1:5432"]
      consumers:
        - { hosts: ["@web"], units: [app.service], action: restart }
    api-key:
      <<: *db
      file: secrets/prod/api-key.age
  test:
    api-key:
      <<: *db
      file: secrets/test/api-key.age
      consumers:
        - { hosts: [test-vm], units: [app.service], action: restart }
`;

/** A person's clone of a bare remote. */
export function makeRepo(folder: string): string {
  const bare = join(folder, 'remote.git');
  const repo = join(folder, 'repo');
  const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8', stdio: 'pipe' });
  git('init', '--quiet', '--bare', '--initial-branch=main', bare);
  git('clone', '--quiet', bare, repo);
  mkdirSync(join(repo, 'deep'));
  writeFileSync(join(repo, 'rotate.yaml'), rotateYaml);
  git('-C', repo, 'add', '.');
  git('-C', repo, '-c', 'user.name=t', '-c', 'user.email=t@example.org', 'commit', '--quiet', '-m', 'begin');
  git('-C', repo, 'push', '--quiet', 'origin', 'HEAD:main');
  return repo;
}

export async function startTestFleet(): Promise<TestFleet> {
  const [temporal, bundle] = await Promise.all([startTestTemporal(), bundleWorkflows()]);
  installRuntime({ log: { level: 'ERROR', format: 'text', write: () => {} } });
  const keyFile = join(temporal.folder, 'codec.key');
  writeFileSync(keyFile, generateCodecKey(), { mode: 0o600 });
  const codecKeys = await loadCodecKeys([keyFile]);
  const connection = await connectWorker({ env: temporal.env });
  const troubles: Troubles = {};
  const answers: Partial<Activities> = {};
  const held = new Set<string>();
  const workers: RunningWorker[] = [];
  return {
    temporal,
    repo: makeRepo(temporal.folder),
    env: { ...temporal.env, ROTATE_CODEC_KEY_FILE: keyFile, ROTATE_WORKER_CONFIG: '/nonexistent' },
    troubles,
    answers,
    held,
    startWorker: async () => {
      const worker = await startWorker({
        connection: connection.connection,
        namespace: connection.endpoint.namespace,
        taskQueue,
        activities: makeActivities(troubles, answers, held),
        codecKeys,
        bundle,
      });
      workers.push(worker);
      return worker;
    },
    stop: async () => {
      held.clear();
      for (const worker of workers) await worker.stop();
      await connection.close();
      await temporal.stop();
    },
  };
}

/** Activities that do nothing, and say what is expected of them. */
function makeActivities(troubles: Troubles, answers: Partial<Activities>, held: ReadonlySet<string>): object {
  const activities: Activities = {
    reserve: async () => {},
    makePlan: async ({ environment = 'prod', secrets }) => ({
      plan: makePlan(environment, secrets),
      digest: 'd'.repeat(64),
    }),
    makePlans: async () => ({ plans: [], leftOut: [] }),
    examine: async ({ hosts }) => ({
      findings: (hosts ?? ['web-1', 'web-2']).map((name) => ({
        subject: `host ${name}`,
        check: 'ssh',
        result: 'ok',
        message: 'reachable, and its key is the right one',
      })),
    }),
    lookUpHolder: async () => ({
      holder: 'rotation/prod/01JDHZZZZZZZZZZZZZZZZZZZZZ',
      running: true,
      released: false,
    }),
    inspectRepo: async ({ scope }) => ({
      base,
      fence: { epoch: 0, seq: 0 },
      secrets: scope.secrets.map((name) => ({ name, old: 'sealed-old' })),
    }),
    inspectIssuer: async () => ({ fence: { epoch: 0, seq: 0 } }),
    inspectHost: async () => ({ running: '/nix/store/old', files: [], fence: { epoch: 0, seq: 0 } }),
    compareHost: async () => {},
    takeBaseline: async () => ({ proof: [] }),
    makeTrial: async () => ({ commit: base }),
    rehearse: async () => {},
    generate: async () => ({ fresh: 'sealed-fresh' }),
    apply: async () => ({ changed: true, endedSessions: 0, at }),
    publish: async () => ({ commit: base }),
    build: async () => ({ toplevel: '/nix/store/fresh' }),
    copy: async () => {},
    converge: async () => ({ installedAtUs: 1, newlyFailed: [] }),
    restart: async () => ({ startedAt: at, restarted: ['app.service'] }),
    verify: async () => ({ proof: [] }),
    merge: async () => ({ merged: base }),
    proveGone: async () => ({ proof: [] }),
    findBase: async () => ({ base }),
    checkUsers: async () => ({ proof: [] }),
    prove: async ({ purpose }) => ({
      proof: [
        {
          claim: purpose === 'before' ? 'the old value is accepted' : 'the old value is refused',
          endpoint: 'db-1:5432',
          result: 'passed',
          at,
          evidence: purpose === 'before' ? 'logged in' : '28000 role "app_a" is not permitted to log in',
        },
      ],
    }),
    unpublish: async () => {},
    tidy: async () => ({ left: [] }),
    record: async () => {},
    assess: async () => ({ declared: false, batches: [], people: [], unplanned: [] }),
    mayStart: async () => ({}),
    stateOf: async () => ({}),
    findOld: async () => ({ notices: [] }),
    listChannels: async () => ({ channels: [] }),
    deliver: async () => {},
  };
  return Object.fromEntries(
    Object.entries(activities).map(([name, activity]) => [
      name,
      async (input: never): Promise<unknown> => {
        while (held.has(name)) await new Promise((resolve) => setTimeout(resolve, 20));
        const wrong = Object.entries(troubles).find(([key]) => key === name)?.[1];
        if (wrong !== undefined) throw wrong;
        const answer = Object.entries(answers).find(([key]) => key === name)?.[1] ?? activity;
        return answer(input);
      },
    ]),
  );
}

export function makePlan(environment: string, secrets: readonly string[]): Plan {
  const unit = { unit: 'app.service', action: 'restart' } as const;
  return {
    version: 1,
    environment,
    commit: base,
    secrets: secrets.map((name) => ({
      environment,
      name,
      kind: 'postgres',
      overlap: 'dual',
      kill: 'issuer',
      source: 'worker' as const,
      canDisable: true,
      retire: 'issuer' as const,
      consumers: ['web-1', 'web-2'],
      file: `secrets/${environment}/${name}.age`,
      sharesFile: false,
      recipients: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0Yd5Y2bW3fqZ0Zc8y7Q9Z3o8s6h0b3Vt1yq1k3n4w5 web-1'],
      account: 'app_a',
      endpoints: ['db-1:5432'],
      effects: {
        generate: 'a new password for app_b, which may log in from then on',
        disable: 'app_a may not log in any more, and its sessions end',
        destroy: 'app_a loses its password',
      },
    })),
    waves: [
      [
        { name: 'web-1', units: [unit] },
        { name: 'web-2', units: [unit] },
      ],
    ],
    policy: {
      name: 'careful',
      parallel: 10,
      maxFailures: 0,
      stableMs: 0,
      soakMs: 0,
      proveAgainMs: 0,
      deadManMs: 60_000,
      budgets: { apply: 2_000, repo: 2_000, converge: 2_000, undo: 2_000, drain: 2_000 },
    },
    notes: ['web-2 is reached through sudo'],
  };
}

export function trouble(type: FailureType, message: string, hint?: string): RotateError {
  return new RotateError(type, message, hint === undefined ? {} : { hint });
}
