/** What most activities begin with: the configuration in force, the secret, the kind, the host. */
import { Context } from '@temporalio/activity';
import type { Credential } from '../domain/credential.js';
import { RotateError } from '../domain/failure.js';
import { type PlannedUnit, unitsOf } from '../domain/plan.js';
import type { SecretValue } from '../domain/secret-value.js';
import { formatSecretRef, type ConfigSpec, type HostSpec, type SecretSpec } from '../domain/spec.js';
import type { ProofLine } from '../domain/status.js';
import type { Kind, KindContext } from '../kinds/kind.js';
import type { RotationScope } from './api.js';
import type { Pulse, Services, Snapshot } from './ports.js';

/** The attempt that runs now. */
export function pulse(): Pulse {
  const context = Context.current();
  return {
    heartbeat: (detail) => context.heartbeat(detail),
    signal: context.cancellationSignal,
  };
}

/**
 * Heartbeats while `work` runs, for work that has no natural beat; a cancellation reaches an activity only so.
 * @param everyMs well below the heartbeat timeout
 */
export async function beating<T>(work: (pulse: Pulse) => Promise<T>, everyMs = 5_000): Promise<T> {
  const p = pulse();
  const timer = setInterval(() => p.heartbeat(), everyMs);
  try {
    return await work(p);
  } finally {
    clearInterval(timer);
  }
}

/** The commit whose rotate.yaml is in force for the rotation. */
export async function baseOf(services: Services, scope: RotationScope): Promise<Snapshot> {
  return services.repo.at(scope.base, pulse().signal);
}

export function secretOf(config: ConfigSpec, environment: string, name: string): SecretSpec {
  const secret = config.secrets.find((s) => s.environment === environment && s.name === name);
  if (secret === undefined) {
    throw new RotateError('UnknownSecret', `rotate.yaml has no secret \`${environment}/${name}\``, {
      hint: 'push what declares it to the main branch, which the worker reads; `rotate list` shows yours',
    });
  }
  return secret;
}

/** Whether other secrets live in its file. */
export function sharesFile(
  { secrets }: { secrets: readonly Pick<SecretSpec, 'file'>[] },
  secret: Pick<SecretSpec, 'file'>,
): boolean {
  return secrets.some((other) => other !== secret && other.file === secret.file);
}

export function hostOf(config: ConfigSpec, name: string): HostSpec {
  const host = config.hosts.find((h) => h.name === name);
  if (host === undefined)
    throw new RotateError('UnknownHost', `rotate.yaml has no host \`${name}\``, {
      hint: `hosts are: ${config.hosts.map((h) => h.name).join(', ') || 'none'}`,
    });
  return host;
}

export function kindOf(services: Services, secret: SecretSpec): Kind<unknown> {
  const kind = services.kinds.get(secret.kind);
  if (kind === undefined) {
    throw new RotateError('BadConfig', `${formatSecretRef(secret)}: there is no kind \`${secret.kind}\``, {
      hint: `kinds are: ${[...services.kinds.keys()].join(', ')}`,
    });
  }
  return kind;
}

/** @param rotation absent outside of one */
export function kindContext(
  services: Services,
  config: ConfigSpec,
  secret: SecretSpec,
  rotation?: string,
): KindContext {
  const { signal } = pulse();
  return {
    secret: { environment: secret.environment, name: secret.name },
    ...(rotation === undefined ? {} : { rotation }),
    hosts: services.fleet.access(config),
    login: (name, to) => services.login(name, to),
    command: (name, input) => services.commands.run(name, input, signal),
    commands: services.commands.names,
    consumers: [...new Set(secret.consumers.flatMap((c) => c.hosts))],
    signal,
  };
}

/** The credential that a secret's file holds at a commit. */
export async function credentialAt(
  services: Pick<Services, 'formats'>,
  snapshot: Snapshot,
  secret: SecretSpec,
): Promise<Credential> {
  return credentialIn(services, secret, await snapshot.read(secret));
}

/** The credential in a content of the secret's file. */
export function credentialIn(
  services: Pick<Services, 'formats'>,
  secret: SecretSpec,
  content: SecretValue,
): Credential {
  const fields = inFile(secret, () => services.formats.parse(secret.format, content));
  return {
    ...(fields.role === undefined ? {} : { account: fields.role }),
    value: fields.password,
    ...(fields.previous === undefined ? {} : { previous: fields.previous }),
  };
}

/** What is wrong with a content is told with the file that holds it. */
export function inFile<T>(secret: SecretSpec, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof RotateError)) throw error;
    const { type, message, hint } = error.toReason();
    const { variable } = secret.format;
    const place = variable === undefined ? secret.file : `${variable} in ${secret.file}`;
    throw new RotateError(type, `${formatSecretRef(secret)}: ${place}: ${message}`, {
      hint: hint ?? `correct it with \`agenix -e ${secret.file}\` or in its \`format\`, commit and push it`,
      cause: error,
    });
  }
}

/** Whether a unit on the host reads the secret. From elsewhere it need not be accepted, or its issuer be reached. */
export function consumesOn({ consumers }: SecretSpec, host: string): boolean {
  return consumers.some((consumer) => consumer.hosts.includes(host));
}

/** Units of the secrets on a host, each once, in the order of rotate.yaml. */
export function unitsOn(config: ConfigSpec, scope: RotationScope, host: string): PlannedUnit[] {
  const secrets = scope.secrets.map((name) => secretOf(config, scope.environment, name));
  return unitsOf(
    secrets.flatMap(({ consumers }) => consumers),
    host,
  );
}

/** From one host, each through a channel of its connection. */
export const loginsAtOnce = 4;

/**
 * Runs `work` for each item, at most `limit` at once; the results in the order of the items. After a failure no
 * further item is begun, and those under way are waited for.
 * @throws what the first of `work` to fail throws
 */
export async function inParallel<T, R>(
  limit: number,
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const queue = [...items.entries()];
  let failure: { error: unknown } | undefined;
  const lane = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined && failure === undefined; next = queue.shift()) {
      const [i, item] = next;
      try {
        results[i] = await work(item);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(limit, items.length)) }, lane));
  if (failure !== undefined) throw failure.error;
  return results;
}

export function proofLine(line: Omit<ProofLine, 'at'>): ProofLine {
  return { ...line, at: new Date().toISOString() };
}
