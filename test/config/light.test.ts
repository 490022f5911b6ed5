import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readLight } from '../../config/light.js';
import { defaultPolicyName } from '../../config/rotate-shapes.js';
import { parseRotateYaml } from '../../config/rotate-yaml.js';

const example = readFileSync(join(import.meta.dirname, 'fixtures/rotate.yaml'), 'utf8');

test('the quick reader finds the names that the full one finds', () => {
  const full = parseRotateYaml(example, 'rotate.yaml');
  expect(readLight(example)).toEqual({
    environments: full.environments.map(({ name }) => name),
    hosts: full.hosts.map(({ name, environment }) => ({ name, environment })),
    secrets: full.secrets.map(({ environment, name, kind, file, tags }) => ({
      environment,
      name,
      kind,
      file,
      tags,
    })),
    policies: [defaultPolicyName],
    schedules: full.schedules.map(({ name, environment }) => ({ name, environment })),
  });
});

test('the quick reader finds tags, policies and schedules', () => {
  const text = `secrets: { prod: { a: { kind: x, file: y, tags: [web, 7] } } }
policies: { fast: {} }
schedules: { monthly: { environment: prod }, nowhere: {} }
`;
  expect(readLight(text)).toMatchObject({
    secrets: [{ name: 'a', tags: ['web'] }],
    policies: [defaultPolicyName, 'fast'],
    schedules: [{ name: 'monthly', environment: 'prod' }],
  });
});

test.each(['', 'hello', '[', 'secrets: [a]', 'secrets: { prod: { a: 1, b: { kind: x } } }'])(
  'the quick reader leaves out what is wrong in %j',
  (text) => {
    expect(readLight(text)).toEqual({
      environments: [],
      hosts: [],
      secrets: [],
      policies: [defaultPolicyName],
      schedules: [],
    });
  },
);
