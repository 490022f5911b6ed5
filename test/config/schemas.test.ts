import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { jsonSchemas, schemaText } from '../../config/schemas.js';

const root = join(import.meta.dirname, '../..');
const files: [string, string][] = [
  ['rotate.schema.json', 'rotate.yaml'],
  ['worker.schema.json', 'worker.yaml'],
];

function fixture(name: string): string {
  return readFileSync(join(import.meta.dirname, 'fixtures', name), 'utf8');
}

describe.each(files)('%s', (schemaName, fileName) => {
  const schema = jsonSchemas()[schemaName];
  const validate = new Ajv({
    strict: true,
    strictRequired: false,
    allErrors: true,
    allowUnionTypes: true,
  }).compile(z.record(z.string(), z.unknown()).parse(schema));

  test('is committed as it is generated (node dist/config/write-schemas.js writes it)', () => {
    expect(readFileSync(join(root, 'schemas', schemaName), 'utf8')).toBe(schemaText(schema));
  });

  test('accepts the example', () => {
    validate(parse(fixture(fileName)));
    expect(validate.errors).toBeNull();
  });

  test('refuses an unknown key', () => {
    expect(validate({ ...parse(fixture(fileName)), xyzzy: 1 })).toBe(false);
  });

  test('describes every key', () => {
    expect(undescribed(schema, '')).toEqual([]);
  });
});

test.each([
  ['a host without an environment', 'environment: prod', 'port: 22'],
  ['a duration without a unit', 'soak: 10m', 'soak: 10'],
  ['a wave beyond all', '25%', '125%'],
  ['two probes in one', '- { http:', '- { command: x, http:'],
  ['an unknown kind', 'kind: postgres', 'kind: postgers'],
])('the schema of rotate.yaml refuses %s', (_title, right, wrong) => {
  const text = fixture('rotate.yaml').replace('port: 22', '').replace(right, wrong);
  expect(text).toContain(wrong);
  const schema = z.record(z.string(), z.unknown()).parse(jsonSchemas()['rotate.schema.json']);
  expect(new Ajv().compile(schema)(parse(text))).toBe(false);
});

const Node = z.looseObject({
  description: z.string().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  additionalProperties: z.unknown().optional(),
  items: z.unknown().optional(),
  anyOf: z.array(z.unknown()).optional(),
});

/** Keys without a description; of a kind's own block and of a format only the block itself is asked for. */
function undescribed(schema: unknown, path: string): string[] {
  const parsed = Node.safeParse(schema);
  if (!parsed.success) return [];
  const { properties, additionalProperties, items, anyOf } = parsed.data;
  const inside = Object.entries(properties ?? {}).flatMap(([key, value]) => {
    const here = `${path}.${key}`;
    const missing = Node.parse(value).description === undefined ? [here] : [];
    return ['postgres', 'format'].includes(key) ? missing : [...missing, ...undescribed(value, here)];
  });
  return [
    ...inside,
    ...[additionalProperties, items, ...(anyOf ?? [])].flatMap((each) => undescribed(each, path)),
  ];
}
