/** Lists in block style: what is around the list, and between its entries, stays to the byte. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SecretValue } from '../../../domain/secret-value.js';
import type { FormatSpec } from '../../../domain/spec.js';
import { parseSecret, renderSecret } from '../../../stores/format/format.js';
import { failureOf } from '../support.js';

const secret = (text: string) => SecretValue.fromText(text);
const keys: FormatSpec = { type: 'yaml', path: ['keys'], list: { separator: ',' } };

function write(content: string, values: readonly string[], format = keys): string {
  const [password = '', ...previous] = values;
  return renderSecret(
    format,
    { password: secret(password), previous: previous.map(secret) },
    secret(content),
  ).text();
}

/** What a program that prints the document anew would change. */
const before = `# Telegram
chat: -1001122334455667788
owner: 1122334455667788991
pi: 3.14159265358979323846
zip: 0017
octal: 0o17
time:   12:30:45
on: yes

`;
const after = `
text: >-
  folded
  text
flow: {a: 1,   b: [ 1,2 ]}
big: 1e400
# the end
`;

describe('a list in block style', () => {
  it.each([
    ['deeper than its key', '  '],
    ['as deep as its key', ''],
    ['much deeper', '      '],
  ])('grows and shrinks, and all around it stays (%s)', (_, indent) => {
    const list = (...values: string[]) => values.map((value) => `${indent}- ${value}\n`).join('');
    const around = (entries: string) => `${before}keys:\n${entries}${after}`;
    const one = around(list('old'));
    const two = around(list('new', 'old'));
    expect(write(one, ['new', 'old'])).toBe(two);
    expect(write(two, ['new'])).toBe(around(list('new')));
    expect(write(one, ['a', 'b', 'c', 'd'])).toBe(around(list('a', 'b', 'c', 'd')));
    expect(write(around(list('a', 'b', 'c', 'd')), ['x'])).toBe(around(list('x')));
    expect(write(two, ['new', 'old'])).toBe(two);
  });

  it.each<[string, string, readonly string[], string]>([
    [
      'comments before, in and after it',
      'a: 1 # one\nkeys: # the first signs\n  # now\n  - old # since May\n\n  # before\n  - older # since April\n  # end\n# z\nz: 2\n',
      ['new', 'old', 'older'],
      'a: 1 # one\nkeys: # the first signs\n  # now\n  - new # since May\n\n  # before\n  - old # since April\n  - older\n  # end\n# z\nz: 2\n',
    ],
    [
      'comments where an entry goes',
      'keys:\n  - old # now\n  # before\n  - older # April\n# z\nz: 2\n',
      ['new'],
      'keys:\n  - new # now\n  # before\n# z\nz: 2\n',
    ],
    [
      'CRLF, when it grows',
      'a: 1\r\nkeys:\r\n  - old\r\nz: 0017\r\n',
      ['new', 'old'],
      'a: 1\r\nkeys:\r\n  - new\r\n  - old\r\nz: 0017\r\n',
    ],
    [
      'CRLF, when it shrinks',
      'keys:\r\n- old\r\n- older\r\nz: 0017\r\n',
      ['new'],
      'keys:\r\n- new\r\nz: 0017\r\n',
    ],
    [
      'no end of the last line, when it grows',
      'a: 1\nkeys:\n  - old',
      ['new', 'old'],
      'a: 1\nkeys:\n  - new\n  - old',
    ],
    [
      'no end of the last line, when it shrinks',
      'keys:\r\n  - old\r\n  - older',
      ['new'],
      'keys:\r\n  - new',
    ],
    [
      'no end of the last line, with a comment',
      'keys:\n  - old # c',
      ['new', 'old'],
      'keys:\n  - new # c\n  - old',
    ],
    [
      'quotes',
      `keys:\n  - 'old'\n  - "older"\n`,
      ['new', 'old', 'older'],
      'keys:\n  - "new"\n  - "old"\n  - "older"\n',
    ],
    ['entries that need quotes now', 'keys:\n  - old\n', ['1', 'null'], 'keys:\n  - "1"\n  - "null"\n'],
    [
      'block scalars',
      'keys:\n  - |-\n    old\n  - >-\n    older\nz: 1\n',
      ['new', 'old', 'older'],
      'keys:\n  - "new"\n  - "old"\n  - "older"\nz: 1\n',
    ],
    [
      'a block scalar that goes',
      'keys:\n  - old\n  - |-\n    older\n\nz: 1\n',
      ['new'],
      'keys:\n  - new\n\nz: 1\n',
    ],
    [
      'entries on a line of their own',
      'keys:\n  -\n    old\n  -\n    older\nz: 1\n',
      ['new'],
      'keys:\n  -\n    new\nz: 1\n',
    ],
    [
      'tags and anchors that nobody uses',
      'keys:\n  - &first !!str old\nz: 1\n',
      ['new', 'old'],
      'keys:\n  - &first !!str new\n  - old\nz: 1\n',
    ],
    [
      'the start and the end of a document',
      '---\nkeys:\n- old\n...\n',
      ['new', 'old'],
      '---\nkeys:\n- new\n- old\n...\n',
    ],
  ])('keeps %s', (_, content, values, expected) => {
    expect(write(content, values)).toBe(expected);
  });

  it('is found in maps and lists, also on the line of another entry', () => {
    const content = 'l:\n  - - old\n    - older\n  - keys:\n      - x\n    n: 0017\n';
    expect(write(content, ['new', 'old', 'older'], { ...keys, path: ['l', 0] })).toBe(
      'l:\n  - - new\n    - old\n    - older\n  - keys:\n      - x\n    n: 0017\n',
    );
    expect(write(content, ['y', 'x'], { ...keys, path: ['l', 1, 'keys'] })).toBe(
      'l:\n  - - old\n    - older\n  - keys:\n      - y\n      - x\n    n: 0017\n',
    );
  });

  it('may be the whole file', () => {
    expect(write('# c\n- old\n', ['new', 'old'], { ...keys, path: [] })).toBe('# c\n- new\n- old\n');
  });

  it('is refused where an entry is one that other places refer to', async () => {
    const content = 'keys:\n  - old\n  - &x older\nz: *x\n';
    const error = await failureOf(() => write(content, ['new']));
    expect(error).toMatchObject({ type: 'BadFormat', hint: expect.stringContaining('anchor') });
    expect(error.message).toContain('keys of the YAML file');
  });

  it('holds any values, and the bytes around it stay', () => {
    const value = fc.string({ minLength: 1, unit: 'grapheme' });
    const style = fc.constantFrom('\n', '\r\n');
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom('', '  ', '    '),
        style,
        (values, entries, indent, newline) => {
          const head = `${before}keys: # c\n`.replaceAll('\n', newline);
          const tail = after.replaceAll('\n', newline);
          const list = Array.from({ length: entries }, (_, i) => `${indent}- old${i}${newline}`).join('');
          const written = write(head + list + tail, values);
          expect(written.startsWith(head)).toBe(true);
          expect(written.endsWith(tail)).toBe(true);
          const { password, previous = [] } = parseSecret(keys, secret(written));
          expect([password, ...previous].map((each) => each.text())).toEqual(values);
        },
      ),
    );
  });
});

it('a value keeps numbers elsewhere that no double holds', () => {
  const content = '{"big": 1122334455667788991, "key": "old", "e": 1.50}\n';
  const written = renderSecret({ type: 'json', path: ['key'] }, { password: secret('new') }, secret(content));
  expect(written.text()).toBe(content.replace('old', 'new'));
});
