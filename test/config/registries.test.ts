import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { carriesRole, toFormatSpec } from '../../config/formats.js';
import { kindRegistry } from '../../config/registries.js';
import { kindSchemas } from '../../kinds/schemas.js';
import { kinds } from '../../kinds/registry.js';
import { carriesRole as storeCarriesRole } from '../../stores/format/format.js';
import { formatSchema } from '../../stores/schema.js';

describe('kinds', () => {
  test('that have a schema are known to the configuration, with that schema', () => {
    expect(new Map([...kindRegistry].map(([id, entry]) => [id, entry.schema]))).toEqual(kindSchemas);
  });

  const postgres = { owner: 'o', database: 'd', endpoints: ['db-1:5432'] };
  const http = {
    base: 'https://api.vendor.example/v1',
    auth: { login: 'x', headers: { authorization: 'Bearer {admin}' } },
    list: { get: '/keys', ids: '/data/*/id' },
    create: { post: '/keys', value: '/secret', id: '/id' },
    check: { get: '/whoami', headers: { authorization: 'Bearer {value}' } },
    delete: { delete: '/keys/{id}' },
  };
  const blocks: [string, unknown][] = [
    ['http', http],
    ['http', { ...http, identify: { ...http.check, id: '/id' } }],
    ['postgres', { ...postgres, roles: ['a'], admin: { login: 'x' } }],
    ['postgres', { ...postgres, roles: ['a', 'b'], admin: { host: 'db-1', as: 'postgres' } }],
    ['token', { hex: 32 }],
    ['token', { words: 12, keepOld: '7d' }],
    ['manual', { overlap: 'dual', check: { command: ['smtp-check'], on: 'consumers' } }],
  ];

  test('have at least one example here', () => {
    expect(new Set(blocks.map(([id]) => id))).toEqual(new Set(kindSchemas.keys()));
  });

  test.each(blocks)('%s needs an account exactly when the kind itself says so: %j', (id, block) => {
    const settings = kindSchemas.get(id)?.parse(block);
    expect(kindRegistry.get(id)?.facts(block)?.needsAccount).toBe(kinds.get(id)?.needsAccount(settings));
  });

  test('say nothing of a block that is wrong', () => {
    expect(kindRegistry.get('postgres')?.facts({})).toBeUndefined();
  });
});

describe('formats', () => {
  test('carry the role for the configuration exactly when they do for the store', () => {
    const piece = fc.constantFrom('{role}', '{password}', '{{', '}}', ' ', 'role', ':', '{{role}}');
    const template = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
    const accepted = template.map((text) => formatSchema.safeParse({ env: 'X', template: text }));
    fc.assert(
      fc.property(accepted, (result) => {
        fc.pre(result.success);
        const format = toFormatSpec(result.data ?? 'raw');
        expect(carriesRole(format)).toBe(storeCarriesRole(format));
      }),
    );
  });
});
