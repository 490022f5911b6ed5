/** To whom an admin login may be sent is the worker's to say, whatever rotate.yaml has in it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SecretValue } from '../../domain/secret-value.js';
import { readLogin } from '../../worker/read-login.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rotate-login-'));
  await writeFile(join(folder, 'vendor'), 'hunter2\n', { mode: 0o600 });
  await writeFile(join(folder, 'open'), 'hunter2\n', { mode: 0o644 });
});
afterAll(() => rm(folder, { recursive: true }));

const origin = 'https://api.vendor.example';

function read(name: string, to?: string): Promise<string> {
  const file = (path: string) => ({ type: 'file' as const, path: join(folder, path) });
  return readLogin(
    {
      vendor: { ...file('vendor'), to: [origin] },
      database: file('vendor'),
      open: file('open'),
      stored: { type: 'store', path: 'secrets/admin.age', to: [origin] },
    },
    { name, to },
    (path) => Promise.resolve(SecretValue.fromText(`of ${path}\n`)),
  ).then((value) => value.text());
}

describe('a login', () => {
  test('is sent where worker.yaml says', async () => {
    expect(await read('vendor', origin)).toBe('hunter2');
    expect(await read('stored', origin)).toBe('of secrets/admin.age');
  });

  test('that names its own server needs no word of where', async () => {
    expect(await read('database')).toBe('hunter2');
  });

  test.each([
    [
      'to another host',
      'vendor',
      'https://evil.example',
      'lets it be sent to https://api.vendor.example only',
    ],
    ['in the clear', 'vendor', 'http://api.vendor.example', 'only'],
    ['to another port', 'vendor', 'https://api.vendor.example:8443', 'only'],
    ['anywhere when nothing is said', 'database', origin, `add \`to: [${origin}]\``],
  ])('is not sent %s, and not even read', async (_, name, to, hint) => {
    await expect(read(name, to)).rejects.toMatchObject({
      type: 'BadConfig',
      message: `login \`${name}\` may not be sent to ${to}`,
      hint: expect.stringContaining(hint),
    });
  });

  test('that is not there is told with those that are', async () => {
    await expect(read('vendr', origin)).rejects.toMatchObject({
      type: 'BadConfig',
      message: 'worker.yaml has no login `vendr`',
      hint: expect.stringContaining('vendor, database'),
    });
  });

  test('that others may read is refused', async () => {
    await expect(read('open')).rejects.toMatchObject({
      type: 'BadConfig',
      hint: expect.stringContaining('chmod'),
    });
  });
});
