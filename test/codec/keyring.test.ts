import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { generateCodecKey, loadCodecKeys, makeCodecKeyring, parseCodecKeys } from '../../codec/keyring.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rotate-keys-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('parseCodecKeys', () => {
  test('reads keys newest first, with comments and empty lines between', () => {
    const [a, b] = [generateCodecKey(), generateCodecKey()];
    const keys = parseCodecKeys(`# newest\n${a}\n\n  ${b}  \n`, 'codec.key');
    expect(keys.map(({ key }) => key.export().toString('base64'))).toEqual([a, b]);
  });

  test('names a key by the first 8 hex digits of its SHA-256', () => {
    expect(parseCodecKeys(Buffer.alloc(32).toString('base64'), 'x')[0]?.id).toBe('66687aad');
  });

  test.each([
    ['too short', Buffer.alloc(31).toString('base64')],
    ['too long', Buffer.alloc(33).toString('base64')],
    ['not base64', 'this is no key'],
    ['hexadecimal', 'ab'.repeat(32)],
  ])('refuses a line that is %s, naming file and line and not the line', (_, line) => {
    expect(() => parseCodecKeys(`# a comment\n${line}\n`, '/k/codec.key')).toThrow(
      expect.objectContaining({ type: 'BadConfig', message: '/k/codec.key:2: this line is no codec key' }),
    );
  });

  test('refuses a file without a key', () => {
    expect(() => parseCodecKeys('# nothing\n', 'empty.key')).toThrow('empty.key: holds no codec key');
  });

  test('refuses a folder as such, whoever may read it', async () => {
    await expect(loadCodecKeys([tmpdir()])).rejects.toMatchObject({
      type: 'BadConfig',
      message: `the codec key file ${tmpdir()} is a folder`,
      hint: 'name the file in it',
    });
  });

  test('does not print a key', () => {
    const line = generateCodecKey();
    const [key] = parseCodecKeys(line, 'x');
    expect(JSON.stringify(key) + inspect(key)).not.toContain(line);
  });
});

describe('loadCodecKeys', () => {
  const write = async (name: string, text: string, mode = 0o600): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, text);
    await chmod(path, mode);
    return path;
  };

  test('joins files in their order, and counts a repeated key once', async () => {
    const [a, b] = [generateCodecKey(), generateCodecKey()];
    const ring = await loadCodecKeys([await write('1', `${a}\n`), await write('2', `${b}\n${a}\n`)]);
    const [first, second] = parseCodecKeys(`${a}\n${b}`, 'x');
    expect(ring.ids).toEqual([first?.id, second?.id]);
    expect(ring.newest.id).toBe(first?.id);
    expect(ring.find(second?.id ?? '')?.id).toBe(second?.id);
    expect(ring.find('00000000')).toBeUndefined();
  });

  test('refuses a file that everyone can read', async () => {
    const path = await write('open', generateCodecKey(), 0o644);
    await expect(loadCodecKeys([path])).rejects.toMatchObject({
      type: 'BadConfig',
      message: `the codec key file ${path} can be read by everyone`,
    });
  });

  test('names a file that is not there', async () => {
    await expect(loadCodecKeys([join(folder, 'none')])).rejects.toMatchObject({
      type: 'BadConfig',
      message: `cannot read the codec key file ${join(folder, 'none')}: there is no such file (ENOENT)`,
    });
  });

  test('says how to name a key when none is', async () => {
    await expect(loadCodecKeys([])).rejects.toMatchObject({
      type: 'BadConfig',
      hint: expect.stringContaining('ROTATE_CODEC_KEY_FILE'),
    });
  });
});

test('two keys with the same id are refused instead of one being taken for the other', () => {
  const [a, b] = parseCodecKeys(`${generateCodecKey()}\n${generateCodecKey()}`, 'x');
  if (a === undefined || b === undefined) throw new Error('no keys');
  expect(() => makeCodecKeyring([a, { ...b, id: a.id }])).toThrow('have the same id');
});
