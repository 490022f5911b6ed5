import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkPrivateFile, exposure } from '../../config/private-file.js';
import { rejectionOf } from './errors.js';

let folder: string;
let key: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rotate-private-'));
  key = join(folder, 'key');
  writeFileSync(key, 'AGE-SECRET-KEY-1HUNTER2', { mode: 0o600 });
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

test.each([0o600, 0o400])('a key file of mode %o is accepted, also through a link', async (mode) => {
  chmodSync(key, mode);
  symlinkSync(key, join(folder, 'link'));
  await expect(checkPrivateFile(key)).resolves.toBeUndefined();
  await expect(checkPrivateFile(join(folder, 'link'))).resolves.toBeUndefined();
});

test.each([
  [0o640, '0640'],
  [0o604, '0604'],
  [0o620, '0620'],
  [0o644, '0644'],
])('a key file of mode %o is refused, and nothing of it is told', async (mode, text) => {
  chmodSync(key, mode);
  const error = await rejectionOf(checkPrivateFile(key, 'the age identity'));
  expect(error.type).toBe('BadConfig');
  expect(error.message).toBe(`the age identity ${key} is open to other users (mode ${text})`);
  expect(error.hint).toBe(`chmod 600 ${key}; if others may have read it, replace the key`);
  expect(JSON.stringify(error)).not.toContain('HUNTER2');
});

test('a key file that is not there, or is a folder, is told by its path', async () => {
  expect((await rejectionOf(checkPrivateFile(join(folder, 'none')))).message).toBe(
    `cannot read the key file ${folder}/none: there is no such file (ENOENT)`,
  );
  expect((await rejectionOf(checkPrivateFile(folder))).message).toBe(`the key file ${folder} is not a file`);
});

test.each([
  ["the worker's own", { path: '/etc/key', mode: 0o600, uid: 990 }, undefined],
  ["root's", { path: '/etc/key', mode: 0o400, uid: 0 }, undefined],
  ["another user's", { path: '/etc/key', mode: 0o600, uid: 1000 }, 'belongs to another user (uid 1000)'],
  // the access list of the unit's user shows as the group's bits
  ["systemd's credential", { path: '/run/credentials/rotate.service/key', mode: 0o440, uid: 0 }, undefined],
])('a key file that is %s', (_title, facts, message) => {
  expect(exposure({ ...facts, isFile: true }, 990)?.message).toBe(message);
});
