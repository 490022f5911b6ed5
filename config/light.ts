/**
 * The names in `rotate.yaml` without zod and without checks, for commands that must
 * be quick (completion, `list`). What is wrong is left out; the full reader tells it.
 */
import { parseYaml } from './yaml-source.js';

export interface LightSecret {
  environment: string;
  name: string;
  kind: string;
  /** As it stands in the file. */
  file: string;
  tags: string[];
}

export interface LightHost {
  name: string;
  environment: string;
}

export interface LightSchedule {
  name: string;
  environment: string;
}

export interface LightConfig {
  environments: string[];
  hosts: LightHost[];
  secrets: LightSecret[];
  /** The built-in one too. */
  policies: string[];
  schedules: LightSchedule[];
}

/** Built in; the full reader has it with its defaults. */
const builtInPolicy = 'careful';

export function readLight(text: string): LightConfig {
  const { value } = parseYaml(text, 'rotate.yaml').source;
  const root = mapping(value);
  const secrets = Object.entries(mapping(root['secrets'])).flatMap(([environment, group]) =>
    Object.entries(mapping(group)).map(([name, secret]) => {
      const { kind, file, tags } = mapping(secret);
      return { environment, name, kind: textOf(kind), file: textOf(file), tags: textsOf(tags) };
    }),
  );
  return {
    environments: namesOf(root['environments']),
    hosts: withEnvironment(root['hosts']),
    secrets: secrets.filter(({ kind, file }) => kind !== '' && file !== ''),
    policies: [...new Set([builtInPolicy, ...namesOf(root['policies'])])],
    schedules: withEnvironment(root['schedules']),
  };
}

/** What says itself to which environment it belongs. */
function withEnvironment(value: unknown): { name: string; environment: string }[] {
  return Object.entries(mapping(value))
    .map(([name, each]) => ({ name, environment: textOf(mapping(each)['environment']) }))
    .filter(({ environment }) => environment !== '');
}

function namesOf(value: unknown): string[] {
  return Object.keys(mapping(value));
}

function mapping(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}
