import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { formatSchema } from '../../stores/schema.js';
import { closeNames, didYouMean } from '../../stores/suggest.js';

describe('the format of a secret in rotate.yaml', () => {
  it.each([
    'raw',
    { raw: true },
    { raw: true, template: '{password}' },
    { env: 'DATABASE_URL' },
    { env: 'DATABASE_URL', template: 'postgresql://{role}:{password}@db-1:5432/app' },
  ])('may be %j', (format) => {
    expect(formatSchema.parse(format)).toEqual(format);
  });

  it.each([
    'json',
    {},
    { raw: false },
    { template: '{password}' },
    { env: 'A', raw: true },
    { env: 'A', templat: '{password}' },
    { env: '1A' },
    { env: 'A B' },
    { env: 'A', template: 'no placeholder' },
    { raw: true, template: '{pasword}' },
    null,
  ])('may not be %j', (format) => {
    expect(formatSchema.safeParse(format).success).toBe(false);
  });

  it('has a JSON schema, for editors', () => {
    expect(z.toJSONSchema(formatSchema)).toHaveProperty('anyOf');
  });
});

describe('a suggestion', () => {
  it('is the closest names first, and none when nothing is close', () => {
    expect(closeNames('db-pasword', ['db-password', 'db-passwords', 'redis', 'tls'])).toEqual([
      'db-password',
      'db-passwords',
    ]);
    expect(closeNames('secrets/prod/db.age', ['secrets/staging/db.age', 'x.age'])).toEqual([
      'secrets/staging/db.age',
    ]);
    expect(didYouMean('zzz', ['db-password'], 'see the list')).toBe('see the list');
    expect(didYouMean('', [], 'nothing')).toBe('nothing');
  });
});
