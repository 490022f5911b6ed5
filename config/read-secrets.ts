/** Reads `secrets` of `rotate.yaml`, with the block of each one's kind. */
import { type FormatSpec, type PolicySpec, type SecretSpec } from '../domain/spec.js';
import { checkFiles } from './check-files.js';
import { checkOrder } from './check-order.js';
import type { Reader } from './fields.js';
import { carriesRole, toFormatSpec } from './formats.js';
import { unknownHost } from './host-refs.js';
import { unknownMessage } from './nearest.js';
import type { KeyPath } from './problem.js';
import { readAge } from './read-age.js';
import { readConsumers, readProbes } from './read-consumers.js';
import { type Fleet, type ReadEnvironment, checkName, declareHint } from './read-fleet.js';
import type { KindEntry, KindRegistry } from './registries.js';
import { defaultPolicyName, secretShape } from './rotate-shapes.js';

interface Context {
  reader: Reader;
  fleet: Fleet;
  kinds: KindRegistry;
  policies: ReadonlyMap<string, PolicySpec>;
  /** Names, also of policies with mistakes. */
  policyNames: readonly string[];
}

export function readSecrets(
  reader: Reader,
  fleet: Fleet,
  kinds: KindRegistry,
  environments: readonly ReadEnvironment[],
  policies: ReadonlyMap<string, PolicySpec>,
): SecretSpec[] {
  const policyNames = [...new Set([...policies.keys(), ...reader.keys(['policies'])])];
  const context: Context = { reader, fleet, kinds, policies, policyNames };
  for (const { spec, policy } of environments) {
    if (policy !== undefined) checkPolicy(context, ['environments', spec.name, 'policy'], policy);
  }
  const secrets: SecretSpec[] = [];
  for (const environment of reader.keys(['secrets'])) {
    const path = ['secrets', environment];
    if (!fleet.environments.includes(environment)) {
      reader.problem(path, unknownMessage('environment', environment, fleet.environments), {
        at: 'key',
        hint: declareHint('environment', fleet.environments),
      });
    }
    const fallback = environments.find(({ spec }) => spec.name === environment)?.policy ?? defaultPolicyName;
    for (const name of reader.keys(path)) {
      checkName(reader, [...path, name]);
      const secret = readSecret(context, environment, name, fallback);
      if (secret !== undefined) secrets.push(secret);
    }
  }
  checkFiles(reader, secrets);
  checkOrder(reader);
  return secrets;
}

function readSecret(
  context: Context,
  environment: string,
  name: string,
  defaultPolicy: string,
): SecretSpec | undefined {
  const { reader, fleet, kinds } = context;
  const path = ['secrets', environment, name];
  const blocks = [...kinds.keys()];
  const fields = reader.fields(secretShape, path, ['consumers', 'verify', ...blocks]);
  const { file } = fields;
  const format = fields.format === undefined ? undefined : toFormatSpec(fields.format);
  const kind = fields.kind === undefined ? undefined : readKind(context, path, fields.kind);
  const settings = kind === undefined ? undefined : readSettings(context, path, kind, format);
  const consumers = readConsumers(reader, fleet, [...path, 'consumers'], environment);
  const probes = readProbes(reader, [...path, 'verify']);
  const age = readAge(reader, path, fields);
  if (fields.policy !== undefined) checkPolicy(context, [...path, 'policy'], fields.policy);
  const policy = context.policies.get(fields.policy ?? defaultPolicy);
  if (kind === undefined || file === undefined || format === undefined || policy === undefined)
    return undefined;
  return {
    environment,
    name,
    kind: kind.id,
    file,
    format,
    settings,
    consumers,
    probes,
    policy,
    tags: fields.tags ?? [],
    after: fields.after ?? [],
    ...age,
  };
}

function readKind({ reader, kinds }: Context, path: KeyPath, id: string): KindEntry | undefined {
  const kind = kinds.get(id);
  if (kind === undefined) {
    reader.problem([...path, 'kind'], unknownMessage('kind', id, kinds.keys()), {
      hint: `kinds: ${[...kinds.keys()].toSorted().join(', ')}`,
    });
    return undefined;
  }
  for (const other of kinds.keys()) {
    if (other === id || reader.raw([...path, other]) === undefined) continue;
    reader.problem([...path, other], `block \`${other}\` does not belong to a secret of kind \`${id}\``, {
      at: 'key',
      hint: `remove it, or set \`kind: ${other}\``,
    });
  }
  return kind;
}

/** The kind's own block, and what it means for the rest of the file. */
function readSettings(
  { reader, fleet }: Context,
  path: KeyPath,
  kind: KindEntry,
  format: FormatSpec | undefined,
): unknown {
  const block = [...path, kind.id];
  const settings = reader.read(kind.schema, block);
  const facts = kind.facts(reader.raw(block));
  if (facts === undefined) return undefined;
  for (const { path: inner, name } of facts.hosts) {
    if (!fleet.hosts.has(name)) unknownHost(reader, fleet, [...block, ...inner], name);
  }
  if (facts.needsAccount && format !== undefined && !carriesRole(format)) {
    reader.problem([...path, 'format'], 'the format cannot say which role the password belongs to', {
      at: 'key',
      hint: `add a \`template\` with {role} and {password} to \`format\`, or ${facts.withoutAccount ?? 'use another kind'}`,
    });
  }
  if (format !== undefined) checkList(reader, path, kind.id, facts.list, format);
  return settings;
}

/** A list is kept by kinds that want one, and by no others. */
function checkList(reader: Reader, path: KeyPath, kind: string, wanted: boolean, format: FormatSpec): void {
  if (wanted === (format.list !== undefined)) return;
  if (wanted)
    reader.problem(
      [...path, kind, 'keepOld'],
      'the format has no place for the old value behind the new one',
      {
        at: 'key',
        hint: 'add `list` to `format`, or remove `keepOld`',
      },
    );
  else
    reader.problem([...path, 'format', 'list'], 'nothing says how long older values stay in the list', {
      at: 'key',
      hint: 'set `keepOld` in the block `token`, or remove `list`',
    });
}

function checkPolicy({ reader, policyNames }: Context, path: KeyPath, name: string): void {
  if (policyNames.includes(name)) return;
  reader.problem(path, unknownMessage('policy', name, policyNames), {
    hint: declareHint('policy', policyNames),
  });
}
