import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Assignment, parseEnvFile, replaceValue } from '../../../stores/format/env-file.js';
import { failureOf, privateFolder, run } from '../support.js';

/** systemd's own parser of such files, in a program that needs no running systemd: it prints what it has read. */
const generator = '/usr/lib/systemd/user-environment-generators/30-systemd-environment-d-generator';

/** What systemd drops a variable for. */
// oxlint-disable-next-line no-control-regex
const dropped = /[\x00-\x08\x0b-\x1f\x7f]|\p{Noncharacter_Code_Point}/u;

const values = (text: string) =>
  Object.fromEntries(parseEnvFile(text).map(({ name, value }) => [name, value]));

describe('an environment file', () => {
  it.each([
    ['plain', 'A=b', { A: 'b' }],
    ['empty', 'A=\nB=', { A: '', B: '' }],
    ['blanks around', ' A = b c \t\n', { A: 'b c' }],
    ['comments', '# A=1\n; B=2\nC=3 # not a comment\n  # D=4', { C: '3 # not a comment' }],
    ['double quotes', 'A="b c"\nB="a\\"b\\\\c\\$d\\`e\\qf"', { A: 'b c', B: 'a"b\\c$d`e\\qf' }],
    ['single quotes', 'A=\'b \\c "d"\'', { A: 'b \\c "d"' }],
    ['quotes that are glued', `A="b"'c' d`, { A: 'bcd' }],
    ['quotes inside', `A=b"c"'d'`, { A: `b"c"'d'` }],
    [
      'values over several lines',
      'A="b\nc"\nB=\'d\ne\'\nC=f\\\ng\nD="h\\\ni"',
      { A: 'b\nc', B: 'd\ne', C: 'fg', D: 'hi' },
    ],
    ['escaped blanks', 'A=b\\ \nB=\\  c', { A: 'b ', B: '  c' }],
    ['CRLF', 'A=b\r\nB="c"\r\n', { A: 'b', B: 'c' }],
    ['lines without =', 'A\nB=c\nexport D=e', { B: 'c', 'export D': 'e' }],
    ['= in values', 'A=b=c==', { A: 'b=c==' }],
    ['a backslash at the end', 'A=b\\', { A: 'b' }],
    ['unicode', 'A=ü "x"', { A: 'ü "x"' }],
  ])('is read as systemd reads it: %s', (_, text, expected) => {
    expect(values(text)).toEqual(expected);
  });

  it.skipIf(!existsSync(generator))(
    'is read as systemd itself reads it, for any mixture of its characters',
    async () => {
      const folder = await privateFolder();
      await mkdir(join(folder, 'environment.d'));
      const piece = fc.constantFrom(
        'A',
        'b',
        '=',
        ' ',
        '\t',
        '\n',
        '\r',
        '\\',
        '"',
        "'",
        '#',
        ';',
        '`',
        '\nA=',
        '\nB="',
        "\nC='",
        'é',
      );
      await fc.assert(
        fc.asyncProperty(fc.array(piece, { maxLength: 30 }), async (pieces) => {
          const text = `START=1\n${pieces.join('')}`;
          fc.pre(!/(^|[\r\n])[ \t]*[#;][^\r\n]*\\[\r\n]/.test(text)); // before v254 such a comment went on
          let ours: Assignment[];
          try {
            ours = parseEnvFile(text);
          } catch {
            return; // a quote that is never closed: we are stricter
          }
          await writeFile(join(folder, 'environment.d/x.conf'), text);
          const env = { PATH: process.env['PATH'], XDG_CONFIG_HOME: folder, HOME: folder };
          const theirs = (await run(generator, [], '', env)).toString();
          // a variable that is set twice is refused by us, and an empty one is not printed by the generator
          const once = ours.filter(({ name }) => ours.filter((other) => other.name === name).length === 1);
          for (const { name, value } of once) {
            if (/^[A-Za-z_]\w*$/.test(name)) expect(printed(theirs).get(name) ?? '').toBe(value);
          }
        }),
        { numRuns: 150 },
      );
    },
  );

  it.each(['A="b', "A='b\nB=c", 'A="b\\'])(
    'with a quote that is never closed is refused: %j',
    async (text) => {
      const failure = await failureOf(() => parseEnvFile(`X=1\n${text}`));
      expect(failure.type).toBe('BadFormat');
      expect(failure.message).toContain('line 2');
    },
  );

  it('with a NUL character is refused: systemd stops there', async () => {
    expect((await failureOf(() => parseEnvFile('A=b\0\nB=c'))).type).toBe('BadFormat');
  });
});

describe('replacing one value', () => {
  it.each([
    ['unquoted', 'A=1\nX=old\nB=2', 'new?a=b&c=%20', 'A=1\nX=new?a=b&c=%20\nB=2'],
    ['unquoted, what needs quotes', 'X=old\n', 'a b', "X='a b'\n"],
    ['unquoted, with both quotes', 'X=old\n', `a'b"c$d`, `X="a'b\\"c\\$d"\n`],
    ['double-quoted', 'X="old" \n', 'a"b\\c$d`e', 'X="a\\"b\\\\c\\$d\\`e"\n'],
    ['single-quoted', "X='old'\n", 'a"b\\c$d', "X='a\"b\\c$d'\n"],
    ['single-quoted, with a single quote', "X='old'\n", "a'b", 'X="a\'b"\n'],
    ['glued', `X="o"'ld'\nY=1`, 'new', 'X="new"\nY=1'],
    ['over several lines', 'X="o\nl\nd"\nY=1', 'new', 'X="new"\nY=1'],
    ['CRLF, no newline at the end', '# c\r\nY="1"\r\nX=old', 'new', '# c\r\nY="1"\r\nX=new'],
    ['CRLF', 'X=old\r\nY=1\r\n', 'new', 'X=new\r\nY=1\r\n'],
    ['several lines in the value', 'X=old\n', 'a\nb', "X='a\nb'\n"],
  ])('keeps the quoting and every other byte: %s', (_, before, value, after) => {
    expect(replace(before, value)).toBe(after);
  });

  it('changes that value only, for any file and any value that systemd accepts', () => {
    const chunk = fc.constantFrom(
      '# note\n',
      'Y=1\n',
      'Z="a b"\r\n',
      "W='x\ny'\n",
      '\n',
      '  V = v \\\n w \n',
      '; X=commented\n',
    );
    const old = fc.constantFrom('old', '"old"', "'old'", '', `"o"'ld'`, 'o\\\nld');
    const value = fc.string({ unit: 'binary' }).filter((v) => !dropped.test(v));
    fc.assert(
      fc.property(
        fc.array(chunk),
        fc.array(chunk),
        old,
        fc.constantFrom('\n', '\r\n'),
        value,
        (before, rest, was, end, next) => {
          const text = `${before.join('')}X=${was}${end}${rest.join('')}`;
          const result = replace(text, next);
          expect(result.startsWith(`${before.join('')}X=`)).toBe(true);
          expect(result.endsWith(`${end}${rest.join('')}`)).toBe(true);
          expect(values(result)).toEqual({ ...values(text), X: next });
        },
      ),
    );
  });

  it.each(['a\0b', 'a\rb', 'a\x1bb', 'a\x7fb', 'a\ufffeb'])(
    'refuses what systemd would drop: %j',
    async (value) => {
      const failure = await failureOf(() => replace('X=old\n', value));
      expect(failure.type).toBe('BadFormat');
      expect(failure.message).not.toContain(value);
    },
  );
});

function replace(text: string, value: string): string {
  const found = parseEnvFile(text).find(({ name }) => name === 'X');
  if (found === undefined) throw new Error('no X');
  return replaceValue(text, found, value);
}

/** What the generator prints: `NAME=value`, or the value in double quotes with C escapes. */
function printed(output: string): Map<string, string> {
  const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };
  return new Map(
    output
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [name, raw] = [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)];
        const quoted = /^\$?(["'])(.*)\1$/.exec(raw)?.[2];
        return [
          name,
          quoted === undefined ? raw : quoted.replaceAll(/\\(.)/g, (_, c: string) => escapes[c] ?? c),
        ];
      }),
  );
}
