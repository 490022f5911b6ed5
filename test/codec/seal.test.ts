import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { generateIdentity, identityToRecipient } from 'age-encryption';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { loadSealer, makeSealer, parseIdentities } from '../../codec/seal.js';

let older: string;
let newer: string;
let folder: string;
beforeAll(async () => {
  [older, newer] = await Promise.all([generateIdentity(), generateIdentity()]);
  folder = await mkdtemp(join(tmpdir(), 'rotate-seal-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('a sealer', () => {
  test('opens what it sealed', async () => {
    const sealer = await makeSealer([newer]);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (value) => {
        expect(Buffer.from(await sealer.open(await sealer.seal(value)))).toEqual(Buffer.from(value));
      }),
      { numRuns: 20 },
    );
  });

  test('seals to the newest identity alone and opens with the older ones', async () => {
    const before = await makeSealer([older]);
    const both = await makeSealer([newer, older]);
    expect(Buffer.from(await both.open(await before.seal(Buffer.from('v')))).toString()).toBe('v');
    await expect(before.open(await both.seal(Buffer.from('v')))).rejects.toMatchObject({
      type: 'CannotOpen',
    });
  });

  test('names the recipients that it has when an identity was lost, and says how to go on', async () => {
    const sealed = await (await makeSealer([older])).seal(Buffer.from('v'));
    const recipient = await identityToRecipient(newer);
    await expect((await makeSealer([newer])).open(sealed)).rejects.toMatchObject({
      type: 'CannotOpen',
      message: `a sealed value was sealed to none of the worker's recipients (${recipient})`,
      hint: expect.stringContaining('back into its keyring'),
      details: { recipients: [recipient] },
    });
  });

  test.each(['', 'AAAA', 'not base64 at all'])('refuses %j, which is no sealed value', async (sealed) => {
    await expect((await makeSealer([newer])).open(sealed)).rejects.toMatchObject({
      type: 'CannotOpen',
      message: expect.stringContaining('damaged'),
    });
  });

  test('refuses a sealed value that was changed', async () => {
    const sealer = await makeSealer([newer]);
    const bytes = Buffer.from(await sealer.seal(Buffer.from('value')), 'base64');
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await expect(sealer.open(bytes.toString('base64'))).rejects.toMatchObject({ type: 'CannotOpen' });
  });

  test('seals what `age` opens', async () => {
    const path = join(folder, 'age.txt');
    await writeFile(path, `${newer}\n`, { mode: 0o600 });
    const sealer = await loadSealer([path]);
    const sealed = await sealer.seal(Buffer.from('for age'));
    const opened = execFileSync('age', ['-d', '-i', path], { input: Buffer.from(sealed, 'base64') });
    expect(opened.toString()).toBe('for age');
  });
});

describe('identities', () => {
  test('a line that is none is named by file and line, and not shown', () => {
    expect(() => parseIdentities(`# mine\nAGE-SECRET-KEY-oops\n`, 'id.txt')).toThrow(
      expect.objectContaining({ type: 'BadConfig', message: 'id.txt:2: not an age identity' }),
    );
  });

  test('an identity with a wrong checksum is refused without being shown', async () => {
    const broken = `${newer.slice(0, -1)}${newer.endsWith('Q') ? 'P' : 'Q'}`;
    await expect(makeSealer([older, broken])).rejects.toMatchObject({
      type: 'BadConfig',
      message: 'age identity 2 of the worker is not valid',
    });
  });

  test('none at all is refused', async () => {
    await expect(makeSealer([])).rejects.toMatchObject({ type: 'BadConfig' });
    expect(() => parseIdentities('', 'id.txt')).toThrow('id.txt: holds no age identity');
  });

  test('a file that everyone can read is refused', async () => {
    const path = join(folder, 'open.txt');
    await writeFile(path, `${newer}\n`);
    await chmod(path, 0o644);
    await expect(loadSealer([path])).rejects.toThrow('can be read by everyone');
  });
});
