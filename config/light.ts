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
}

export interface LightConfig {
  environments: string[];
  hosts: string[];
  secrets: LightSecret[];
}

export function readLight(text: string): LightConfig {
  const { value } = parseYaml(text, 'rotate.yaml').source;
  const root = mapping(value);
  const secrets = Object.entries(mapping(root['secrets'])).flatMap(([environment, group]) =>
    Object.entries(mapping(group)).map(([name, secret]) => {
      const { kind, file } = mapping(secret);
      return { environment, name, kind: textOf(kind), file: textOf(file) };
    }),
  );
  return {
    environments: Object.keys(mapping(root['environments'])),
    hosts: Object.keys(mapping(root['hosts'])),
    secrets: secrets.filter(({ kind, file }) => kind !== '' && file !== ''),
  };
}

function mapping(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
