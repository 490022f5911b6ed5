/** `rotate.yaml` as a whole: from its text to the resolved configuration, or to all of its mistakes. */
import type { ConfigSpec } from '../domain/spec.js';
import { canaryWarnings } from './canary-warnings.js';
import { createReader } from './fields.js';
import { readText } from './read-text.js';
import { type Problem, badConfig, sortProblems } from './problem.js';
import { type Fleet, readEnvironments, readHosts, readRepo } from './read-fleet.js';
import { readFreezes } from './read-freezes.js';
import { readPolicies } from './read-policies.js';
import { readSchedules } from './read-schedules.js';
import { readSecrets } from './read-secrets.js';
import { type KindRegistry, kindRegistry } from './registries.js';
import { versionSchema } from './rotate-shapes.js';
import { parseYaml } from './yaml-source.js';

export interface RotateYaml {
  /** Means something only when there are no problems. */
  config: ConfigSpec;
  /** Mistakes, by line. */
  problems: Problem[];
  /** What is allowed and probably not meant, by line. */
  warnings: Problem[];
}

const sections = ['repo', 'environments', 'hosts', 'secrets', 'policies', 'schedules', 'freezes'];

/**
 * Reads `text` and tells every mistake instead of throwing.
 * @param file how the file is named in messages
 */
export function readRotateYaml(text: string, file: string, kinds: KindRegistry = kindRegistry): RotateYaml {
  const { source, problems, broken } = parseYaml(text, file);
  const reader = createReader(source);
  if (broken) return { config: emptyConfig, problems: sortProblems(problems), warnings: [] };
  reader.fields({ version: versionSchema }, [], sections);
  const repo = readRepo(reader);
  const environments = readEnvironments(reader);
  const hosts = readHosts(reader);
  const fleet: Fleet = { environments: reader.keys(['environments']), hosts: hosts.declared };
  const policies = readPolicies(reader, fleet);
  const secrets = readSecrets(reader, fleet, kinds, environments, policies);
  const config: ConfigSpec = {
    repo,
    environments: environments.map(({ spec }) => spec),
    hosts: hosts.specs,
    secrets,
    schedules: readSchedules(reader, fleet.environments),
    freezes: readFreezes(reader, fleet.environments),
  };
  const all = sortProblems([...problems, ...reader.problems]);
  return { config, problems: all, warnings: all.length > 0 ? [] : canaryWarnings(config, source) };
}

const emptyConfig: ConfigSpec = {
  repo: { branch: 'main', flake: '.' },
  environments: [],
  hosts: [],
  secrets: [],
  schedules: [],
  freezes: [],
};

/**
 * The configuration that `text` holds.
 * @param file how the file is named in messages
 * @throws RotateError `BadConfig` that tells every mistake, `file:line:column: key.path: message`, one a line
 */
export function parseRotateYaml(text: string, file: string, kinds: KindRegistry = kindRegistry): ConfigSpec {
  const { config, problems } = readRotateYaml(text, file, kinds);
  if (problems.length > 0) throw badConfig(file, problems);
  return config;
}

/**
 * {@link parseRotateYaml} of the file at `path`.
 * @param name how the file is named in messages; default: `path`
 * @throws RotateError `BadConfig`, also when the file cannot be read
 */
export async function loadRotateYaml(path: string, name: string = path): Promise<ConfigSpec> {
  return parseRotateYaml(await readText(path, name), name);
}
