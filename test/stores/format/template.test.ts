import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileTemplate } from '../../../stores/format/content.js';
import { matchTemplate, parseTemplate, renderTemplate } from '../../../stores/format/template.js';
import { failureOf } from '../support.js';

const url = 'postgresql://{role}:{password}@db-1:5432/app?sslmode=require';
const text = fc.string({ minLength: 1, unit: 'binary' });

describe('a template', () => {
  it('fills a URL in percent-encoded, whatever the characters', () => {
    expect(
      renderTemplate(compileTemplate(url), { role: 'app_a', password: "p@ss:/?#[]!$&'()*+,;=% ü" }),
    ).toBe(
      'postgresql://app_a:p%40ss%3A%2F%3F%23%5B%5D%21%24%26%27%28%29%2A%2B%2C%3B%3D%25%20%C3%BC@db-1:5432/app?sslmode=require',
    );
  });

  it('makes URLs that a URL parser takes apart again', () => {
    fc.assert(
      fc.property(text, text, (role, password) => {
        const {
          username,
          password: found,
          host,
        } = new URL(renderTemplate(compileTemplate(url), { role, password }));
        expect([decodeURIComponent(username), decodeURIComponent(found), host]).toEqual([
          role,
          password,
          'db-1:5432',
        ]);
      }),
    );
  });

  it('inserts verbatim where it is no URL', () => {
    const template = compileTemplate('user={role} pass={value}');
    expect(renderTemplate(template, { role: 'a', password: 'p@ss%20' })).toBe('user=a pass=p@ss%20');
  });

  it('has literal braces by doubling', () => {
    const template = compileTemplate('{{"password": "{password}"}}');
    expect(renderTemplate(template, { password: 'x' })).toBe('{"password": "x"}');
    expect(matchTemplate(template, '{"password": "x"}')).toEqual({ password: 'x' });
    expect(compileTemplate('{{{password}}}').literals).toEqual(['{', '}']);
  });

  it('gives back what it was given, or refuses it: a URL always, other text when it is unambiguous', () => {
    for (const source of [
      url,
      '{role}:{password}',
      'a{password}b',
      '{password}',
      '{role}\n{password}\n',
      'x{{{value}}}',
    ]) {
      const template = compileTemplate(source);
      fc.assert(
        fc.property(text, text, (role, password) => {
          const fields = template.fields.includes('role') ? { role, password } : { password };
          let rendered: string;
          try {
            rendered = renderTemplate(template, fields);
          } catch {
            expect(template.url).toBe(false);
            return;
          }
          expect(matchTemplate(template, rendered)).toEqual(fields);
        }),
      );
    }
  });

  it('refuses a value that would be read back as another', async () => {
    const template = compileTemplate('{role}:{password}');
    const failure = await failureOf(() => renderTemplate(template, { role: 'a:b', password: 'c' }));
    expect(failure.type).toBe('BadFormat');
    expect(failure.message).not.toContain('a:b');
    expect(renderTemplate(template, { role: 'a', password: 'b:c' })).toBe('a:b:c');
  });

  it('refuses to be filled in without what it needs', async () => {
    const template = compileTemplate(url);
    expect((await failureOf(() => renderTemplate(template, { password: 'x' }))).message).toContain('role');
    expect((await failureOf(() => renderTemplate(template, { role: 'a', password: '' }))).message).toContain(
      'password',
    );
    expect((await failureOf(() => renderTemplate(template, { role: '\ud800', password: 'x' }))).type).toBe(
      'BadFormat',
    );
  });

  it('reads URLs that people wrote by hand, and refuses those that mean something else', () => {
    const template = compileTemplate('postgresql://{role}:{password}@db-1/app');
    expect(matchTemplate(template, 'postgresql://app:a!b%2fc@db-1/app')).toEqual({
      role: 'app',
      password: 'a!b/c',
    });
    for (const other of [
      'postgresql://app:x@db-2/app',
      'postgresql://app:x@db-1/app2',
      'postgresql://app@db-1/app',
      'postgresql://app:@db-1/app',
      'postgresql://:x@db-1/app',
      'postgresql://app:a@b@db-1/app',
      'postgresql://app:a%zz@db-1/app',
      'postgresql://app:a/b@db-1/app',
      'mysql://app:x@db-1/app',
      '',
    ]) {
      expect(matchTemplate(template, other)).toBeUndefined();
    }
  });

  it.each([
    ['', 'missing'],
    ['{role}', '{password} is missing'],
    ['{pasword}', 'unknown placeholder {pasword}'],
    ['{password}{role}', 'text between'],
    ['{password} {value}', 'twice'],
    ['{password', 'single "{"'],
    ['{password} }', 'single "}"'],
    ['{}{password}', 'unknown placeholder {}'],
  ])('that is malformed is refused: %j', (source, says) => {
    expect(parseTemplate(source)).toMatchObject({ problem: expect.stringContaining(says) });
  });
});
