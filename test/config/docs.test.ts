import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readRotateYaml } from '../../config/rotate-yaml.js';
import { jsonSchemas } from '../../config/schemas.js';
import { parseWorkerYaml } from '../../config/worker-yaml.js';

const docs = readFileSync(join(import.meta.dirname, '../../docs/configuration.md'), 'utf8');
const [rotateDocs = '', workerDocs = ''] = docs.split('\n## worker.yaml\n');

/** The whole file that a part of the page shows. */
function shown(part: string): string {
  const block = /```yaml\n(version: 1\n[\s\S]*?)```/.exec(part)?.[1];
  if (block === undefined) throw new Error('the page shows no file');
  return block;
}

test('the files that the page shows are right', () => {
  expect(readRotateYaml(shown(rotateDocs), 'rotate.yaml')).toMatchObject({ problems: [], warnings: [] });
  expect(parseWorkerYaml(shown(workerDocs), '/etc/rotate/worker.yaml').temporal.profile).toBe('default');
});

const Node = z.looseObject({
  default: z.unknown().optional(),
  description: z.string().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  additionalProperties: z.unknown().optional(),
  items: z.unknown().optional(),
});

interface Key {
  key: string;
  /** As the page writes it. */
  fallback: string | undefined;
}

/** Every key of a file but those of a kind's block and of a format, which have pages of their own. */
function keysOf(schema: unknown): Key[] {
  const parsed = Node.safeParse(schema);
  if (!parsed.success) return [];
  const { properties, additionalProperties, items } = parsed.data;
  const own = Object.entries(properties ?? {}).flatMap(([key, value]) => {
    const fallback = Node.parse(value).default;
    const here = { key, fallback: fallback === undefined ? undefined : text(fallback) };
    const block = Node.parse(value).description?.startsWith('Settings of the kind ') === true;
    return block || key === 'format' ? [] : [here, ...keysOf(value)];
  });
  return [...own, ...keysOf(additionalProperties), ...keysOf(items)];
}

function text(value: unknown): string {
  return Array.isArray(value) ? `[${value.join(', ')}]` : String(value);
}

describe.each([
  ['rotate.schema.json', rotateDocs],
  ['worker.schema.json', workerDocs],
])('of %s the page', (name, part) => {
  test.each(keysOf(jsonSchemas()[name]))('names $key with its default $fallback', ({ key, fallback }) => {
    const rows = part
      .split('\n')
      .filter((line) => new RegExp(`^\\| \`([\\w.]+\\.)?${key}(\\.\\w+)*\` \\|`).test(line));
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.join('\n')).toContain(fallback === undefined ? '' : `\`${fallback}\``);
  });
});
