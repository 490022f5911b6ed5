import { expect, test } from 'vitest';

import { inFile } from '../../activities/common.js';
import { RotateError } from '../../domain/failure.js';
import { parseRotateYaml } from '../../config/rotate-yaml.js';

const [secret] = parseRotateYaml(
  `version: 1
environments: { prod: { store: agenix, rules: secrets.nix } }
hosts: { web-1: { environment: prod } }
secrets:
  prod:
    key:
      kind: token
      file: secrets/key.age
      format: { env: KEY }
      token: {}
      consumers: [{ hosts: [web-1], units: [app.service] }]
`,
  'rotate.yaml',
).secrets;

function failureOf(error: unknown): unknown {
  if (secret === undefined) throw new Error('no secret was read');
  try {
    inFile(secret, () => {
      throw error;
    });
  } catch (thrown) {
    return thrown;
  }
  return undefined;
}

test('what is wrong with a content is told with its secret, its file, and what to do', () => {
  expect(failureOf(new RotateError('BadFormat', 'the value in the file is empty'))).toMatchObject({
    type: 'BadFormat',
    message: 'prod/key: KEY in secrets/key.age: the value in the file is empty',
    hint: expect.stringContaining('`agenix -e secrets/key.age`'),
  });
});

test('a hint that knows better stays, and so does what is no failure of ours', () => {
  expect(failureOf(new RotateError('BadFormat', 'x', { hint: 'delete the others' }))).toMatchObject({
    hint: 'delete the others',
  });
  const other = new Error('x');
  expect(failureOf(other)).toBe(other);
});
