/** What was found out, kept for the next command. */
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { openCache } from '../../cli/cache.js';
import { parseRotateYaml } from '../../config/rotate-yaml.js';

const text = readFileSync(join(import.meta.dirname, '../config/fixtures/rotate.yaml'), 'utf8');
const config = parseRotateYaml(text, 'rotate.yaml');
const file = '/srv/infra/rotate.yaml';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'rotate-cache-'));
});
afterEach(() => rmSync(home, { recursive: true }));

const cacheOf = (build: string | undefined, of = file) => openCache('config', of, { HOME: home }, build);
const folder = (): string => join(home, '.cache', 'rotate', 'config');
const entry = (): string => join(folder(), readdirSync(folder())[0] ?? '');

test('gives back exactly what was kept', () => {
  expect(cacheOf('one').read(text)).toBeUndefined();
  cacheOf('one').write(text, config);
  expect(cacheOf('one').read(text)).toStrictEqual(config);
});

test('knows no other text, build or file', () => {
  cacheOf('one').write(text, config);
  expect(cacheOf('one').read(`${text}\n`)).toBeUndefined();
  expect(cacheOf('two').read(text)).toBeUndefined();
  expect(cacheOf('one', '/srv/other/rotate.yaml').read(text)).toBeUndefined();
});

test('keeps one entry for each file, for its owner alone', () => {
  cacheOf('one').write(text, config);
  cacheOf('one').write(`${text}\n`, config);
  expect(readdirSync(folder())).toHaveLength(1);
  expect([folder(), entry()].map((path) => (statSync(path).mode & 0o777).toString(8))).toEqual([
    '700',
    '600',
  ]);
});

test.each([
  ['is broken', () => writeFileSync(entry(), '{"key":')],
  ['is no entry', () => writeFileSync(entry(), '[]')],
  ['others may write', () => chmodSync(entry(), 0o622)],
])('an entry that %s counts for nothing, and is replaced', (_, spoil) => {
  cacheOf('one').write(text, config);
  spoil();
  expect(cacheOf('one').read(text)).toBeUndefined();
  cacheOf('one').write(text, config);
  expect(cacheOf('one').read(text)).toStrictEqual(config);
});

test('where nothing can be kept, nothing is', () => {
  writeFileSync(join(home, '.cache'), 'no folder');
  cacheOf('one').write(text, config);
  expect(cacheOf('one').read(text)).toBeUndefined();
});

test('what runs from its sources keeps nothing', () => {
  const cache = openCache('config', file, { HOME: home });
  cache.write(text, config);
  expect(cache.read(text)).toBeUndefined();
  expect(readdirSync(home)).toEqual([]);
});
