import { describe, expect, test } from 'vitest';
import { resolveHost, resolveSecret } from '../../config/resolve-names.js';
import { parseRotateYaml } from '../../config/rotate-yaml.js';
import { errorOf } from './errors.js';

const block =
  'kind: postgres, postgres: { roles: [a], owner: o, database: d, admin: { login: l }, endpoints: ["h:1"] }';
const config = parseRotateYaml(
  `version: 1
environments: { prod: { store: sops }, test: { store: sops } }
hosts: { web-1: { environment: prod }, web-2: { environment: prod } }
secrets:
  prod:
    db-password: { file: a, ${block} }
    smtp: { file: b, ${block} }
  test:
    db-password: { file: c, ${block} }
`,
  'rotate.yaml',
);

describe('a secret', () => {
  test.each([
    ['smtp', undefined, 'prod', 'b'],
    ['prod/db-password', undefined, 'prod', 'a'],
    ['test/db-password', undefined, 'test', 'c'],
    ['db-password', 'test', 'test', 'c'],
    ['prod/db-password', 'prod', 'prod', 'a'],
  ])('%s with --env %s is that of %s', (name, environment, expected, file) => {
    expect(resolveSecret(config, name, environment)).toMatchObject({ environment: expected, file });
  });

  test.each([
    ['smpt', undefined, 'unknown secret `smpt`, did you mean `smtp`?', '`rotate list` shows all secrets'],
    [
      'prod/smpt',
      undefined,
      'unknown secret `prod/smpt`, did you mean `prod/smtp`?',
      '`rotate list` shows all secrets',
    ],
    [
      'nothing',
      undefined,
      'unknown secret `nothing`',
      'secrets: prod/db-password, prod/smtp, test/db-password',
    ],
    ['smtp', 'test', 'unknown secret `smtp` in environment `test`', 'there is prod/smtp'],
    ['smtp', 'tets', 'unknown environment `tets`, did you mean `test`?', 'environments: prod, test'],
    ['prd/smtp', undefined, 'unknown environment `prd`, did you mean `prod`?', 'environments: prod, test'],
  ])('%s with --env %s is unknown', (name, environment, message, hint) => {
    const error = errorOf(() => resolveSecret(config, name, environment));
    expect(error).toMatchObject({ type: 'UnknownSecret', message, hint });
  });

  test('of two environments is ambiguous, and the error lists both', () => {
    expect(errorOf(() => resolveSecret(config, 'db-password'))).toMatchObject({
      type: 'AmbiguousSecret',
      message: '`db-password` may be prod/db-password or test/db-password',
      hint: 'name the environment too, e.g. prod/db-password',
      details: { candidates: ['prod/db-password', 'test/db-password'] },
    });
  });
});

describe('a host', () => {
  test('is found by its name', () => {
    expect(resolveHost(config, 'web-2').name).toBe('web-2');
  });

  test('that is unknown is told with those that are near', () => {
    expect(errorOf(() => resolveHost(config, 'web-22'))).toMatchObject({
      type: 'UnknownHost',
      message: 'unknown host `web-22`, did you mean `web-2`?',
      hint: 'hosts: web-1, web-2',
    });
  });
});
