import { describe, expect, test } from 'vitest';
import { parseYaml } from '../../config/yaml-source.js';
import { placesOf, told, unmark } from './marked.js';

function values(text: string): unknown {
  const { source, problems } = parseYaml(text, 'x.yaml');
  expect(problems).toEqual([]);
  return JSON.parse(JSON.stringify(source.value));
}

describe('what is read', () => {
  test('is YAML 1.2: yes and no are text, and keys are text as written', () => {
    expect(values('a: yes\n1.10: no\ntrue: on\n"": x\n')).toEqual({
      a: 'yes',
      '1.10': 'no',
      true: 'on',
      '': 'x',
    });
  });

  test('keeps Windows line ends and a byte order mark out of values', () => {
    expect(values('\u{feff}a: 1\r\nb: [x,\r\n y]\r\n')).toEqual({ a: 1, b: ['x', 'y'] });
  });

  test('expands anchors, aliases and merge keys, where what is nearer wins', () => {
    const text = `one: &one { a: 1, b: 1 }
two: &two { b: 2, c: 2 }
both: { <<: [*one, *two], c: 3 }
last: { c: 4, <<: *one }
copy: *one
`;
    expect(values(text)).toMatchObject({
      both: { a: 1, b: 1, c: 3 },
      last: { a: 1, b: 1, c: 4 },
      copy: { a: 1, b: 1 },
    });
  });

  test('an alias means the last anchor of its name before it', () => {
    expect(values('- &x 1\n- *x\n- &x 2\n- *x\n')).toEqual([1, 1, 2, 2]);
  });

  test('has mappings without a prototype, so that __proto__ is a key like others', () => {
    const { source } = parseYaml('__proto__: { polluted: true }\n', 'x.yaml');
    expect(Object.keys(Object(source.value))).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(source.value)).toBeNull();
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });
});

describe('places', () => {
  const { text, places } = unmark(
    '▸a:\n  - ▸x\n  - ▸b: ▸1\nbase: &base { ▸deep: ▸2 }\nmerged:\n  <<: *base\n  ▸empty:\n',
  );
  const { source } = parseYaml(text, 'x.yaml');

  test('are those of keys, of values, and inside merged mappings', () => {
    expect([
      source.keyAt(['a']),
      source.valueAt(['a', 0]),
      source.keyAt(['a', 1, 'b']),
      source.valueAt(['a', 1, 'b']),
      source.keyAt(['merged', 'deep']),
      source.valueAt(['merged', 'deep']),
      source.valueAt(['merged', 'empty']),
    ]).toEqual(places);
  });

  test('of what is not there are those of the nearest thing that encloses it', () => {
    expect(source.valueAt(['a', 1, 'nothing', 3])).toEqual({ line: 3, column: 5 });
    expect(source.valueAt(['nothing'])).toEqual({ line: 1, column: 1 });
  });
});

const bomb = `a: &a [x, x, x, x, x, x, x, x, x, x]\n${Array.from('bcdefg')
  .map((name, i) => `${name}: &${name} [${Array(10).fill(`*${'abcdef'[i]}`).join(', ')}]\n`)
  .join('')}`;

const mistakes: [string, string, string[]][] = [
  [
    'an empty file',
    '▸',
    [': the file is empty [begin it with `version: 1`; docs/configuration.md has all keys]'],
  ],
  [
    'a file of comments',
    '▸# nothing\n',
    [': the file is empty [begin it with `version: 1`; docs/configuration.md has all keys]'],
  ],
  ['a tab as indentation', 'a:\n▸\tb: 1\n', ['a: a tab is used as indentation [indent with spaces]']],
  [
    'a quote that is not closed',
    'a: 1\nb: "x\n▸',
    ['b: a quote is never closed [look for a missing quote, bracket or comma before this place]'],
  ],
  [
    'a tag without quotes',
    'a: [▸@web]\n',
    ['a: a value cannot begin with `@` [put it in quotes, e.g. "@web"]'],
  ],
  [
    'a colon inside a value',
    'a: ▸b: c\n',
    [
      'a: a mapping begins inside a value [put a value that contains `: ` in quotes, or begin the mapping on a new line]',
    ],
  ],
  [
    'a second document',
    'a: 1\n▸---\nb: 1\n',
    ['a: a second document begins here [one file holds one document: remove the `---`]'],
  ],
  ['a tag', 'a: ▸!secret x\n', ['a: this tag is not known [remove the `!` tag]']],
  [
    'another version of YAML',
    '▸%YAML 1.1\n---\na: yes\n',
    [': this %YAML directive is not read [remove the directive]'],
  ],
  [
    'a bracket that is not closed',
    'a: {b: 1\n▸',
    ['a.b: what `{` begins is not closed [close it with `}`, and indent its lines]'],
  ],
  [
    'a list that is not closed',
    'a: [b\n▸c: 1\n',
    ['a[0]: what `[` begins is not closed [close it with `]`, and indent its lines]'],
  ],
  [
    'a line without a colon',
    'a: 1\n▸b\n',
    ['a: this line has no `:` [write `key: value`, or put a text of several lines in quotes]'],
  ],
  [
    'a text behind the sign that begins one',
    'a: |▸b\n',
    ['a: text stands behind `|` or `>` [begin the text on the next line, indented]'],
  ],
  [
    'a merge conflict, and nothing of what it breaks',
    'a: 1\n▸<<<<<<< HEAD\nb: 1\n=======\nb: 2\n>>>>>>> other\n',
    [': a merge conflict stands here [resolve it, and remove the markers of git]'],
  ],
  ['a duplicate key', 'a:\n  b: 1\n  ▸b: 2\n', ['a.b: duplicate key `b` [it stands already in line 2]']],
  [
    'a duplicate key in other quotes',
    'b: 1\n▸"b": 2\n',
    ['b: duplicate key `b` [it stands already in line 1]'],
  ],
  [
    'a key that is a list',
    '▸[a]: 1\n',
    [': a key must be a word [put a key that is more than a word in quotes]'],
  ],
  ['an unknown alias', 'a: ▸*x\n', [': unknown alias `*x` [set the anchor `&x` before it]']],
  ['an alias inside itself', 'a: &a [▸*a]\n', ['a[0]: alias `*a` stands inside what it stands for']],
  [
    'a merge key of text',
    'a: { ▸<<: x }\n',
    ['a."<<": a merge key needs an alias of a mapping, or a list of them'],
  ],
];

describe('each mistake is told with its line, column, key path and hint', () => {
  test.each(mistakes)('%s', (_title, marked, expected) => {
    const { text, places } = unmark(marked);
    const { problems } = parseYaml(text, 'x.yaml');
    expect(problems.map(told)).toEqual(expected);
    expect(placesOf(problems)).toEqual(places);
  });

  test('an alias bomb ends in one mistake', () => {
    const { problems } = parseYaml(bomb, 'x.yaml');
    expect(problems.map(({ message }) => message)).toEqual(['aliases add too many values']);
  });

  test('a text nested beyond reason ends in one mistake', () => {
    const { problems, broken } = parseYaml('['.repeat(20_000), 'x.yaml');
    expect(broken).toBe(true);
    expect(problems.map(({ message }) => message)).toEqual(['the file is nested too deeply']);
  });

  test('a syntax error repeats nothing of the file: it may be a secret in the wrong place', () => {
    const texts = [
      'a: "hunter2\n',
      'a: hunter2: b\n',
      'a: [hunter2\n',
      'hunter2\nb: 1\n',
      'a: |hunter2\n',
      'a: "\\hunter2"\n',
      '%hunter2\n---\n',
      'a: [b\n]]hunter2\n',
      'a: !hunter2 x\n',
    ];
    for (const text of texts) {
      const { problems } = parseYaml(text, 'x.yaml');
      expect(problems.length).toBeGreaterThan(0);
      expect(JSON.stringify(problems)).not.toContain('hunter2');
    }
  });
});
