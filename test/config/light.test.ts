import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readLight } from '../../config/light.js';
import { parseRotateYaml } from '../../config/rotate-yaml.js';

const example = readFileSync(join(import.meta.dirname, 'fixtures/rotate.yaml'), 'utf8');

test('the quick reader finds the names that the full one finds', () => {
  const full = parseRotateYaml(example, 'rotate.yaml');
  expect(readLight(example)).toEqual({
    environments: full.environments.map(({ name }) => name),
    hosts: full.hosts.map(({ name }) => name),
    secrets: full.secrets.map(({ environment, name, kind, file }) => ({ environment, name, kind, file })),
  });
});

test.each(['', 'hello', '[', 'secrets: [a]', 'secrets: { prod: { a: 1, b: { kind: x } } }'])(
  'the quick reader leaves out what is wrong in %j',
  (text) => {
    expect(readLight(text)).toEqual({
      environments: [],
      hosts: [],
      secrets: [],
    });
  },
);
