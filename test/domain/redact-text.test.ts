import { generateKeyPairSync } from 'node:crypto';

import { expect, test } from 'vitest';

import { redactText } from '../../domain/redact-text.js';

const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

test.each([
  ['an age identity', 'key AGE-SECRET-KEY-1QQPQLLL0 here', 'key [redacted] here'],
  ['a private key', `before ${pem}after`, 'before [redacted]\nafter'],
  ['a private key that was cut off', pem.slice(0, 60), '[redacted]'],
  [
    'a verifier',
    "ROLE app_b PASSWORD 'SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy'",
    'ROLE app_b PASSWORD [redacted]',
  ],
  [
    'a password in a URL',
    'postgresql://app_b:p%40ss@db-1:5432/app',
    'postgresql://app_b:[redacted]@db-1:5432/app',
  ],
  ['a connection string', 'host=db-1 password=hunter2 user=x', 'host=db-1 password=[redacted] user=x'],
])('%s is taken out', (_, text, expected) => {
  expect(redactText(text)).toBe(expected);
  expect(redactText(redactText(text))).toBe(expected);
});

test.each([
  'password authentication failed for user "app_a"',
  'prod/db-password: no such file',
  'unknown secret prod/db-password, did you mean prod/db-password2?',
  'https://forge.example/infra.git: connection refused',
  'ssh://git@forge.example:22/infra.git',
  'age1yt3tfqlfrwdwx0z0ynwplcr6qxcxfaqycuprpmy89nr83ltx74tqdpszlw',
])('%j stays as it is', (text) => {
  expect(redactText(text)).toBe(text);
});

test('a long text without a credential is done at once', () => {
  const text = 'postgresql://'.repeat(5_000);
  expect(redactText(text)).toBe(text);
});
