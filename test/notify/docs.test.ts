import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { checkPrivateFile } from '../../config/private-file.js';
import { notificationEvents } from '../../domain/notification.js';
import { SecretValue } from '../../domain/secret-value.js';
import { parseSigningSecrets } from '../../notify/signature.js';
import { createWebhook } from '../../notify/webhook.js';
import { failureOf } from './errors.js';
import { sample } from './samples.js';
import { expectNotification } from './schema.js';

const page = readFileSync(join(import.meta.dirname, '../../docs/notifications.md'), 'utf8');

function block(language: string): string {
  const found = new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(page)?.[1];
  if (found === undefined) throw new Error(`the page shows no ${language}`);
  return found;
}

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rotate-notify-docs-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

test('the JSON that the page shows is what is made, and as the schema says', () => {
  expectNotification(block('json'));
  expect(JSON.parse(block('json'))).toEqual(sample);
});

test.each(notificationEvents)('the page says when %s is sent', (event) => {
  const rows = page.split('\n').filter((line) => line.startsWith('| `'));
  expect(rows.filter((row) => row.split('|')[1]?.includes(`\`${event}\``))).toHaveLength(1);
});

test('the receiver that the page shows takes what is genuine, once, and refuses the rest', async () => {
  const [script, secretFile] = [join(folder, 'receiver.mjs'), join(folder, 'hook.key')];
  await writeFile(script, block('js'));
  execFileSync('sh', ['-c', block('sh')], { cwd: folder });
  await expect(checkPrivateFile(secretFile)).resolves.toBeUndefined();
  const fresh = readFileSync(secretFile, 'utf8').trim();
  const child = spawn(process.execPath, [script], {
    env: { SECRET_FILE: secretFile, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async (): Promise<string> => String((await lines.next()).value);
    const port = (await next()).replace('listens on ', '');
    const channel = (secrets: string) =>
      createWebhook({
        name: 'ops',
        url: SecretValue.fromText(`http://127.0.0.1:${port}/`),
        secrets: parseSigningSecrets(secrets, 'test'),
        headers: {},
        format: 'json',
      });
    const never = new AbortController().signal;
    await channel(fresh).send(sample, never);
    await channel(`a secret that it does not know\n${fresh}`).send(sample, never);
    const refused = await failureOf(channel('a secret that it does not know').send(sample, never));
    expect(refused.message).toContain('answers 401');
    await channel(fresh).send({ ...sample, id: 'another', event: 'done', text: 'another' }, never);
    expect(await next()).toBe(`needs-attention: ${sample.text}`);
    expect(await next()).toBe('done: another');
    const stale = await fetch(`http://127.0.0.1:${port}/`, {
      method: 'POST',
      headers: { 'webhook-id': 'x', 'webhook-timestamp': '1', 'webhook-signature': 'v1,' },
      body: '{}',
    });
    expect(stale.status).toBe(401);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});
