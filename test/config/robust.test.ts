import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadRotateYaml, parseRotateYaml, readRotateYaml } from '../../config/rotate-yaml.js';
import { errorOf, rejectionOf } from './errors.js';

const example = readFileSync(join(import.meta.dirname, 'fixtures/rotate.yaml'), 'utf8');

const pieces = [
  '',
  ' ',
  '\n',
  ':',
  '-',
  '[',
  ']',
  '{',
  '}',
  '"',
  '@',
  '&a ',
  '*a',
  '<<',
  '!x ',
  '|',
  '# ',
  '0',
  '\t',
  'é',
];

/** The example with some slices replaced by what YAML is sensitive to. */
const damaged = fc
  .array(
    fc.record({
      at: fc.nat({ max: example.length }),
      length: fc.nat({ max: 30 }),
      piece: fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 5 })),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((edits) =>
    edits.reduce(
      (text, { at, length, piece }) => text.slice(0, at) + piece + text.slice(at + length),
      example,
    ),
  );

test('whatever is wrong with a file, its mistakes are told at places inside it, sorted, and nothing is thrown', () => {
  fc.assert(
    fc.property(damaged, (text) => {
      const lines = text.split('\n');
      const { problems } = readRotateYaml(text, 'rotate.yaml');
      for (const [i, problem] of problems.entries()) {
        expect(problem.message).not.toBe('');
        expect(problem.line).toBeGreaterThanOrEqual(problems[i - 1]?.line ?? 1);
        expect(problem.line).toBeLessThanOrEqual(lines.length);
        expect(problem.column).toBeLessThanOrEqual((lines[problem.line - 1]?.length ?? 0) + 1);
      }
    }),
    { numRuns: 300 },
  );
});

test('what a file says reaches the terminal without control characters, and cut', () => {
  const { message, hint } = errorOf(() =>
    parseRotateYaml(`version: 1\n"\\e[31mred\\u202e${'x'.repeat(5_000)}": 1\n`, 'rotate.yaml'),
  );
  expect(`${message} ${hint}`).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
  expect(message.length).toBeLessThan(1_000);
});

test('a file that is not UTF-8 is told as such', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rotate-text-'));
  try {
    const path = join(folder, 'rotate.yaml');
    writeFileSync(path, Buffer.from([0x61, 0x3a, 0x0a, 0x62, 0xff, 0x0a]));
    expect(await rejectionOf(loadRotateYaml(path))).toMatchObject({
      type: 'BadConfig',
      message: `${path}:2: the file is not UTF-8`,
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
