/** Services for activities that are called without a worker: a repo in memory, and nothing that a test does not hand in. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import type { RepoPort, Services, Snapshot } from '../../activities/ports.js';
import { sealCredential } from '../../activities/sealed.js';
import { RotateError } from '../../domain/failure.js';
import { SecretValue } from '../../domain/secret-value.js';
import type { ConfigSpec, ConsumerSpec, HostSpec, SecretSpec } from '../../domain/spec.js';
import { kinds } from '../../kinds/registry.js';
import { parseSecret, renderSecret } from '../../stores/format/format.js';

const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });

/** As the first attempt of an activity. */
export async function runActivity<T>(activity: () => Promise<T>): Promise<T> {
  const result: T = await environment.run(activity);
  return result;
}

const policy: SecretSpec['policy'] = {
  name: 'careful',
  canary: [],
  waves: ['100%'],
  parallel: 10,
  maxFailures: 0,
  stableMs: 0,
  soakMs: 0,
  proveAgainMs: 0,
  deadManMs: 1_000,
  budgets: { apply: 1_000, repo: 1_000, converge: 1_000, undo: 1_000, drain: 1_000 },
};

export function secretSpec(name: string, spec: Partial<SecretSpec>): SecretSpec {
  return {
    environment: 'prod',
    name,
    kind: 'token',
    file: `secrets/${name}.age`,
    format: { type: 'raw' },
    settings: {},
    consumers: [],
    probes: [],
    policy,
    tags: [],
    after: [],
    ...spec,
  };
}

export function consumer(host: string, ...units: string[]): ConsumerSpec {
  return { hosts: [host], units, action: 'restart' };
}

export function configSpec(secrets: readonly SecretSpec[], hosts: readonly string[]): ConfigSpec {
  const host = (name: string): HostSpec => ({
    name,
    environment: 'prod',
    address: name,
    port: 22,
    user: 'root',
    sudo: false,
    configuration: name,
    build: 'worker',
    tags: [],
  });
  return {
    repo: { branch: 'main', flake: '.' },
    environments: [{ name: 'prod', store: 'agenix', rules: 'secrets.nix' }],
    hosts: hosts.map(host),
    secrets,
    schedules: [],
    freezes: [],
  };
}

export interface Parts {
  config: ConfigSpec;
  /** Contents of files by commit and path; all commits have the same rotate.yaml. */
  contents?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  fleet?: Partial<Services['fleet']>;
}

/** Whatever is asked for and not there ends the test. */
export function servicesOf({ config, contents = {}, fleet = {} }: Parts): Services {
  const snapshot = (commit: string): Partial<Snapshot> => ({
    commit,
    recipients: async () => [],
    config,
    async read({ file }) {
      const content = contents[commit]?.[file];
      if (content === undefined) throw new RotateError('UnknownSecret', `no ${file} at ${commit}`);
      return SecretValue.fromText(content);
    },
  });
  return {
    repo: { at: async (commit) => snapshot(commit) as Snapshot } as Partial<RepoPort> as RepoPort,
    fleet: fleet as Services['fleet'],
    formats: { parse: parseSecret, render: renderSecret },
    kinds,
    // Sealed is who cannot be read by accident; the seal itself is tested elsewhere.
    sealer: {
      recipients: [],
      seal: async (bytes) => Buffer.from(bytes).toString('base64'),
      open: async (sealed) => Uint8Array.from(Buffer.from(sealed, 'base64')),
    },
    login: async (name) => {
      throw new RotateError('BadConfig', `no login ${name}`);
    },
    commands: {
      names: [],
      run: async (name) => {
        throw new RotateError('BadConfig', `no command ${name}`);
      },
    },
  } as Partial<Services> as Services;
}

export function sealValue(services: Services, value: string): Promise<string> {
  return sealCredential(services, { value: SecretValue.fromText(value) });
}
