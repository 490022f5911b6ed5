/** Values in JSON and YAML documents, and values that lead a list, in every format. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { SecretValue } from '../../../domain/secret-value.js';
import type { FormatSpec } from '../../../domain/spec.js';
import { parseSecret, renderSecret } from '../../../stores/format/format.js';
import { failureOf } from '../support.js';

const secret = (text: string) => SecretValue.fromText(text);
const texts = (values: readonly SecretValue[] | undefined) => values?.map((value) => value.text());

const yaml = `# settings of the app
database:
  host: db-1          # not a secret
  password: old-value
  "pool size": 5
session:
  keys: ["old", "older"] # newest first
  blocks:
    - old
    - older
anchors: &shared { a: 1 }
copy: *shared
text: |
  several
  lines
`;
const json = `{
  "database": {"host": "db-1", "password" : "old-value"},
  "keys":   ["old", "older"],
  "list": [ {"key": "a"}, {"key": "b"} ],
  "n": 1.50
}
`;

describe('one value of a document', () => {
  const inYaml: FormatSpec = { type: 'yaml', path: ['database', 'password'] };
  const inJson: FormatSpec = { type: 'json', path: ['database', 'password'] };

  it('is changed and nothing else, to the byte', () => {
    expect(renderSecret(inYaml, { password: secret('new-value') }, secret(yaml)).text()).toBe(
      yaml.replace('old-value', 'new-value'),
    );
    expect(renderSecret(inYaml, { password: secret('123') }, secret(yaml)).text()).toBe(
      yaml.replace('old-value', '"123"'),
    );
    expect(renderSecret(inJson, { password: secret('new "value"') }, secret(json)).text()).toBe(
      json.replace('"old-value"', '"new \\"value\\""'),
    );
  });

  it('is found by keys and indexes', () => {
    const second: FormatSpec = { type: 'json', path: ['list', 1, 'key'] };
    expect(parseSecret(second, secret(json)).password.text()).toBe('b');
    expect(renderSecret(second, { password: secret('c') }, secret(json)).text()).toBe(
      json.replace('"b"', '"c"'),
    );
  });

  it('may be a template filled in', () => {
    const template = 'postgresql://{role}:{password}@db-1/app';
    const content = 'url: "postgresql://app_a:old@db-1/app" # in use\n';
    const format: FormatSpec = { type: 'yaml', path: ['url'], template };
    const written = renderSecret(format, { role: 'app_b', password: secret('n&w') }, secret(content));
    expect(written.text()).toBe('url: "postgresql://app_b:n%26w@db-1/app" # in use\n');
    expect(parseSecret(format, written)).toMatchObject({ role: 'app_b' });
  });

  const inText: FormatSpec = { type: 'yaml', path: ['text'] };
  it.each([
    ['literal, at the end', 'a: 1\ntext: |\n  several\n  lines\n', 'a: 1\ntext: "new"\n'],
    ['literal, before a key', 'text: |\n  several\n  lines\nb: 0017\n', 'text: "new"\nb: 0017\n'],
    ['literal, stripped', 'text: |-\n  several\n\n  lines\n\n# b\nb: 1\n', 'text: "new"\n\n# b\nb: 1\n'],
    ['literal, with all ends of line', 'text: |+\n  several\n\n\nb: 1\n', 'text: "new"\n\n\nb: 1\n'],
    ['folded', 'text: >\n  several\n  lines\nb: 1\n', 'text: "new"\nb: 1\n'],
    ['folded, stripped and indented', 'text: >-2\n    several\n  lines\nb: 1\n', 'text: "new"\nb: 1\n'],
    ['with a comment in its first line', 'text: | # c\n  lines\n# d\nb: 1\n', 'text: "new" # c\n# d\nb: 1\n'],
    ['with CRLF', 'text: |\r\n  several\r\n  lines\r\nb: 1\r\n', 'text: "new"\r\nb: 1\r\n'],
    ['without a last end of line', 'b: 1\ntext: |-\n  lines', 'b: 1\ntext: "new"'],
    ['in a map in a list', 'l:\n- text: >\n    lines\n- b: 1\n', 'l:\n- text: "new"\n- b: 1\n'],
    ['without quotes, on two lines', 'text: several\n  lines # c\nb: 1\n', 'text: new # c\nb: 1\n'],
  ])('replaces a text of several lines, and nothing else (%s)', (_, content, expected) => {
    const format: FormatSpec = content.startsWith('l:') ? { type: 'yaml', path: ['l', 0, 'text'] } : inText;
    expect(renderSecret(format, { password: secret('new') }, secret(content)).text()).toBe(expected);
  });

  it.each(['true', 'null', 'Null', 'FALSE'])(
    'is written as the text %s, which is none without quotes',
    (value) => {
      const written = renderSecret(inText, { password: secret(value) }, secret('text: old\nb: 1\n'));
      expect(written.text()).toBe(`text: "${value}"\nb: 1\n`);
    },
  );

  it('gives back any value, and leaves all else', () => {
    const value = fc.string({ minLength: 1, unit: 'grapheme' });
    for (const [format, content] of [
      [inYaml, yaml],
      [inJson, json],
    ] as const)
      fc.assert(
        fc.property(value, (text) => {
          const written = renderSecret(format, { password: secret(text) }, secret(content));
          expect(parseSecret(format, written).password.text()).toBe(text);
          const expected: { database: object } = parse(content);
          expect(parse(written.text())).toEqual({
            ...expected,
            database: { ...expected.database, password: text },
          });
        }),
      );
  });

  it.each<[string, FormatSpec, string, RegExp, RegExp]>([
    [
      'a slip in a key',
      { type: 'yaml', path: ['database', 'passwort'] },
      yaml,
      /no database\.passwort/,
      /did you mean password/,
    ],
    ['a number', { type: 'yaml', path: ['database', 'pool size'] }, yaml, /is no text/, /quotes/],
    ['a mapping', { type: 'yaml', path: ['database'] }, yaml, /is no text/, /name a value in it/],
    ['an alias', { type: 'yaml', path: ['copy'] }, yaml, /is an alias/, /write the value/],
    ['what is no JSON', { type: 'json', path: ['a'] }, 'a: 1\n', /not valid JSON/, /^$/],
    ['what is no YAML', { type: 'yaml', path: ['a'] }, 'a: [1\nb: 2\n', /not valid YAML \(line \d\)/, /^$/],
    ['a key that stands twice', { type: 'yaml', path: ['a'] }, 'a: x\na: y\n', /not valid YAML/, /^$/],
  ])('refuses %s, without telling what is there', async (_, format, content, message, hint) => {
    const error = await failureOf(() => parseSecret(format, secret(content)));
    expect(error.type).toBe('BadFormat');
    expect(error.message).toMatch(message);
    expect(error.hint ?? '').toMatch(hint);
    expect(JSON.stringify([error.message, error.hint])).not.toContain('old-value');
  });

  it('refuses a value that other places refer to', async () => {
    const content = 'a: &x old\nb: *x\n';
    const error = await failureOf(() =>
      renderSecret({ type: 'yaml', path: ['a'] }, { password: secret('new') }, secret(content)),
    );
    expect(error).toMatchObject({ type: 'BadFormat', hint: expect.stringContaining('anchor') });
  });

  it('refuses a value in what other places refer to', async () => {
    const content = 'a: &x { key: old }\nb: *x\n';
    const error = await failureOf(() =>
      renderSecret({ type: 'yaml', path: ['a', 'key'] }, { password: secret('new') }, secret(content)),
    );
    expect(error).toMatchObject({ type: 'BadFormat', hint: expect.stringContaining('anchor') });
  });

  it('needs the file to be there', async () => {
    const error = await failureOf(() => renderSecret(inJson, { password: secret('x') }));
    expect(error.message).toContain('when it is there already');
  });
});

describe('a value that leads a list', () => {
  const list = { separator: ',' };
  const formats: [string, FormatSpec, string][] = [
    ['raw', { type: 'raw', list: { separator: '\n' } }, 'old\nolder\n'],
    ['env', { type: 'env', variable: 'KEYS', list }, 'A=1\nKEYS="old,older"\n'],
    ['yaml, in flow style', { type: 'yaml', path: ['session', 'keys'], list }, yaml],
    ['yaml, in block style', { type: 'yaml', path: ['session', 'blocks'], list }, yaml],
    ['json', { type: 'json', path: ['keys'], list }, json],
  ];

  it.each(formats)('is read with those behind it (%s)', (_, format, content) => {
    const { password, previous } = parseSecret(format, secret(content));
    expect([password.text(), texts(previous)]).toEqual(['old', ['older']]);
  });

  it.each(formats)('is written with as many behind it as it is given (%s)', (_, format, content) => {
    const both = renderSecret(
      format,
      { password: secret('new'), previous: [secret('old')] },
      secret(content),
    );
    expect(texts([parseSecret(format, both).password])).toEqual(['new']);
    expect(texts(parseSecret(format, both).previous)).toEqual(['old']);
    const alone = renderSecret(format, { password: secret('new'), previous: [] }, both);
    expect(parseSecret(format, alone).previous).toBeUndefined();
    const back = renderSecret(format, { password: secret('old'), previous: [secret('older')] }, alone);
    expect(back.text(), 'there and back is where it began').toBe(content);
  });

  it('does not hold what would end it', async () => {
    const error = await failureOf(() =>
      renderSecret({ type: 'raw', list }, { password: secret('a,b') }, secret('old')),
    );
    expect(error.message).toContain('separates the values');
  });

  it.each([
    [{ type: 'raw', list } as const, ''],
    [{ type: 'raw', list } as const, 'a,,b'],
    [{ type: 'yaml', path: ['a'], list } as const, 'a: [1]\n'],
    [{ type: 'yaml', path: ['a'], list } as const, 'a: x\n'],
  ])('is refused where it is none: %j %j', async (format, content) => {
    expect((await failureOf(() => parseSecret(format, secret(content)))).type).toBe('BadFormat');
  });
});
