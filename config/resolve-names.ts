/** What a person types, as the secret or host that it means. */
import { RotateError } from '../domain/failure.js';
import { type ConfigSpec, type HostSpec, type SecretSpec, formatSecretRef } from '../domain/spec.js';
import { nearest, unknownMessage } from './nearest.js';

/**
 * The secret that `name` means: `db-password` where that is unique, `prod/db-password` always.
 * @param environment restricts the search (`--env`)
 * @throws RotateError `UnknownSecret`, or `AmbiguousSecret` with the candidates in `details.candidates`
 */
export function resolveSecret(config: ConfigSpec, name: string, environment?: string): SecretSpec {
  const inside = config.secrets.filter(
    (secret) => environment === undefined || secret.environment === environment,
  );
  const [found, ...others] = inside.filter(
    (secret) => secret.name === name || formatSecretRef(secret) === name,
  );
  if (found === undefined) throw unknownSecret(config, inside, name, environment);
  if (others.length === 0) return found;
  const candidates = [found, ...others].map(formatSecretRef).toSorted();
  throw new RotateError('AmbiguousSecret', `\`${name}\` may be ${candidates.join(' or ')}`, {
    hint: `name the environment too, e.g. ${candidates[0]}`,
    details: { candidates },
  });
}

/** That there is no environment `asked`, with those that there are. @param type `UnknownSecret` where a secret was asked for in it */
export function unknownEnvironment(
  asked: string,
  names: readonly string[],
  type: 'Usage' | 'UnknownSecret' = 'Usage',
): RotateError {
  return new RotateError(type, unknownMessage('environment', asked, names), {
    hint: `environments: ${names.toSorted().join(', ') || 'none is declared'}`,
  });
}

function unknownSecret(
  config: ConfigSpec,
  inside: readonly SecretSpec[],
  name: string,
  environment: string | undefined,
): RotateError {
  const environments = config.environments.map((each) => each.name);
  const asked = environment ?? (name.includes('/') ? name.slice(0, name.indexOf('/')) : undefined);
  if (asked !== undefined && !environments.includes(asked))
    return unknownEnvironment(asked, environments, 'UnknownSecret');
  const known = inside.flatMap((secret) => (name.includes('/') ? [formatSecretRef(secret)] : [secret.name]));
  const elsewhere = config.secrets.filter((secret) => secret.name === name).map(formatSecretRef);
  const hint =
    elsewhere.length > 0
      ? `there is ${elsewhere.toSorted().join(', ')}`
      : nearest(name, known).length > 0 || inside.length === 0
        ? '`rotate list` shows all secrets'
        : `secrets: ${shortList(inside.map(formatSecretRef))}`;
  const where = environment === undefined ? '' : ` in environment \`${environment}\``;
  const message = unknownMessage('secret', name, known);
  return new RotateError(
    'UnknownSecret',
    where === '' ? message : message.replace(`\`${name}\``, `\`${name}\`${where}`),
    {
      hint,
    },
  );
}

/**
 * The host of that name.
 * @throws RotateError `UnknownHost`
 */
export function resolveHost(config: ConfigSpec, name: string): HostSpec {
  const found = config.hosts.find((host) => host.name === name);
  if (found !== undefined) return found;
  const names = config.hosts.map((host) => host.name);
  throw new RotateError('UnknownHost', unknownMessage('host', name, names), {
    hint: names.length === 0 ? 'rotate.yaml declares no host' : `hosts: ${shortList(names)}`,
  });
}

function shortList(names: readonly string[]): string {
  const sorted = names.toSorted();
  return sorted.length <= 12
    ? sorted.join(', ')
    : `${sorted.slice(0, 12).join(', ')} and ${sorted.length - 12} more`;
}
