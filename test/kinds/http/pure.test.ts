/** Templates, pointers, left-over keys and wrong values: what is decided without a vendor. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SecretValue } from '../../../domain/secret-value.js';
import { labelOf, leftovers } from '../../../kinds/http/leftovers.js';
import { parsePointer, splitAtStar, valueAt } from '../../../kinds/http/pointer.js';
import { prepare } from '../../../kinds/http/prepare.js';
import { fillTemplate, parseTemplate } from '../../../kinds/http/template.js';
import { wrongValue } from '../../../kinds/http/wrong-value.js';

describe('a template', () => {
  it('puts values in, and takes doubled braces for braces', () => {
    expect(fillTemplate('{{{id}}} {value}{id}', { id: '7', value: '{id}' })).toBe('{7} {id}7');
  });

  it('gives any text back when its braces are doubled', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const doubled = text.replaceAll('{', '{{').replaceAll('}', '}}');
        expect(fillTemplate(doubled, {})).toBe(text);
      }),
    );
  });

  it.each(['{', '}', '{id', '{ID}', '{}', '{constructor}', '{id}}'])('refuses %j', (source) => {
    expect(parseTemplate(source)).toHaveProperty('problem');
  });

  it('is not filled with what is not known', () => {
    expect(() => fillTemplate('{account}:{value}', { value: 'v' })).toThrow(
      expect.objectContaining({ type: 'IssuerMisconfigured', hint: expect.stringContaining('{role}') }),
    );
    expect(() => fillTemplate('/keys/{id}', { id: '' })).toThrow(/\{id\}/);
  });
});

describe('a pointer', () => {
  // RFC 6901, section 5; the whole document and its like are not among what can be named
  const document = { foo: ['bar', 'baz'], '': 0, 'a/b': 1, 'c%d': 2, 'e^f': 3, ' ': 7, 'm~n': 8 };
  it.each([
    ['/foo', document.foo],
    ['/foo/0', 'bar'],
    ['/', 0],
    ['/a~1b', 1],
    ['/c%d', 2],
    ['/e^f', 3],
    ['/ ', 7],
    ['/m~0n', 8],
    ['/foo/2', undefined],
    ['/foo/00', undefined],
    ['/foo/-', undefined],
    ['/foo/length', undefined],
    ['/constructor', undefined],
    ['/__proto__', undefined],
    ['/foo/0/0', undefined],
  ])('%s finds what the standard says', (pointer, found) => {
    expect(valueAt(document, parsePointer(pointer) ?? [])).toEqual(found);
  });

  it.each(['', 'foo', '/a~b', '/a~2b'])('%j is none', (pointer) => {
    expect(parsePointer(pointer)).toBeUndefined();
  });

  it('finds any key, however it is spelt', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1 }), (keys) => {
        const pointer = keys.map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
        expect(parsePointer(pointer)).toEqual(keys);
      }),
    );
  });

  it('splits at its one star', () => {
    expect(splitAtStar('/data/*/id')).toEqual({ list: ['data'], rest: ['id'] });
    expect(splitAtStar('/*')).toEqual({ list: [], rest: [] });
    expect(splitAtStar('/*/*')).toBeUndefined();
  });
});

describe('a request', () => {
  const base = { base: 'https://api.vendor.example/v1/' };

  it('has values percent-encoded in its path, and escaped in its body', () => {
    const request = { patch: '/keys/{id}?by={admin}', body: { deep: [{ label: '"{label}"' }], n: 1 } };
    const made = prepare(base, request, { id: 'a/../b?c#d', admin: 'x&y=z', label: 'q"\\' });
    expect(made.url.href).toBe('https://api.vendor.example/v1/keys/a%2F..%2Fb%3Fc%23d?by=x%26y%3Dz');
    expect(JSON.parse(made.body ?? '')).toEqual({ deep: [{ label: '"q"\\"' }], n: 1 });
    expect(made.title).toBe('PATCH https://api.vendor.example/v1/keys/{id}');
  });

  it.each(['.', '..'])('is not made for the id %j, which would be a step up', (id) => {
    expect(() => prepare(base, { delete: '/keys/{id}' }, { id })).toThrow(/a value is a path of its own/);
  });

  it.each(['a\r\nb: c', 'a\nb', 'ü', 'a\0b'])(
    'is not made with %j in a header, and does not tell it',
    (value) => {
      const request = { get: '/', headers: { 'X-Key': '{value}' } };
      const attempt = () => prepare(base, request, { value });
      expect(attempt).toThrow(/X-Key is not one line of ASCII/);
      expect(attempt).not.toThrow(value);
    },
  );

  it('authenticates as RFC 7617 says, in UTF-8, and its own header wins', () => {
    const auth = { headers: { Authorization: 'Bearer {admin}', 'X-Team': 'a' } };
    const basic = prepare(
      base,
      { get: '/', basic: '{account}:{value}' },
      { account: 'test', value: '123£', admin: 'x' },
      auth,
    );
    expect(basic.headers['authorization']).toBe('Basic dGVzdDoxMjPCow==');
    expect(basic.headers['x-team']).toBe('a');
  });
});

describe('what an attempt has left', () => {
  const secret = { environment: 'prod', name: 'api-key' };
  const label = labelOf(secret, '01B');
  const keys = [
    { id: 'old', label: labelOf(secret, '01A') },
    { id: 'in use', label },
    { id: 'ours', label },
    { id: 'ours too', label: `made by ${label}` },
    { id: 'another secret’s', label: labelOf({ ...secret, name: 'other' }, '01B') },
    { id: 'a stranger’s', label: 'somebody' },
    { id: 'unlabelled' },
  ];

  it('carries the label of the rotation', () => {
    const known = { label, existing: ['old'], keep: ['in use'] };
    expect(leftovers(keys, known)).toEqual(['ours', 'ours too']);
    expect(leftovers(keys, { ...known, existing: undefined })).toEqual(['ours', 'ours too']);
  });

  it('is without labels the one that was not there before', () => {
    const known = { label: undefined, existing: ['old'], keep: ['in use'] };
    expect(leftovers([{ id: 'old' }, { id: 'in use' }, { id: 'young' }], known)).toEqual(['young']);
    expect(leftovers([{ id: 'old' }], known)).toEqual([]);
  });

  it('is nothing when it cannot be told', () => {
    const known = { label: undefined, existing: ['old'], keep: [] };
    expect(() => leftovers([{ id: 'a' }, { id: 'b' }], known)).toThrow(
      /several keys have been made .* \(a, b\)/,
    );
    expect(() => leftovers([{ id: 'a' }], { ...known, existing: undefined })).toThrow(/nothing says/);
  });

  it('never is what was there before or stays, whatever it is called', () => {
    const ids = fc.array(fc.string(), { maxLength: 5 });
    fc.assert(
      fc.property(ids, ids, ids, fc.boolean(), (all, existing, keep, labels) => {
        const known = { label: labels ? label : undefined, existing, keep };
        const listed = all.map((id) => ({ id, label }));
        let left: string[] = [];
        try {
          left = leftovers(listed, known);
        } catch {
          // it cannot be told: nothing is deleted
        }
        expect(left.filter((id) => existing.includes(id) || keep.includes(id))).toEqual([]);
      }),
    );
  });
});

describe('a wrong value', () => {
  it.each([
    ['sk_live_4eC39HqLyjWDarjtT1zdp7dc', /^sk_live_[A-Za-z0-9]{24}$/],
    ['0123456789abcdef0123456789abcdef', /^[0-9a-f]{32}$/],
    [
      '3F2504E0-4F89-41D3-9A0C-0305E82C3301',
      /^[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}$/,
    ],
    ['abcdefghijklmnopqrst.UVWXYZ==', /^[a-z]{20}\.[A-Z]{6}==$/],
  ])('looks like %s', (value, form) => {
    const wrong = wrongValue(SecretValue.fromText(value)).text();
    expect(wrong).toMatch(form);
    expect(wrong).not.toBe(value);
  });

  it('keeps length, digits, letters and their case, and all else', () => {
    const shape = (text: string) =>
      text.replaceAll(/\d/g, '0').replaceAll(/[a-z]/g, 'a').replaceAll(/[A-Z]/g, 'A');
    fc.assert(
      fc.property(fc.stringMatching(/^[\x21-\x7e]{40,80}$/), (text) => {
        fc.pre(text.replaceAll(/[^0-9A-Za-z]/g, '').length >= 35);
        const wrong = wrongValue(SecretValue.fromText(text)).text();
        expect(shape(wrong)).toBe(shape(text));
        expect(wrong).not.toBe(text);
      }),
    );
  });

  it('is not made of one too short, which it could hit', () => {
    expect(() => wrongValue(SecretValue.fromText('a1b2-----------------'))).toThrow(/too short/);
  });
});
