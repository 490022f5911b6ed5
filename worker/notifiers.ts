/** The channels of worker.yaml, made at start, so that a mistake in them is told then and not in the first emergency. */
import { readFile } from 'node:fs/promises';
import type { Channel } from '../activities/ports.js';
import { checkPrivateFile } from '../config/private-file.js';
import { isHeaderValue } from '../config/notify-shapes.js';
import type { ChannelSpec, NotifySpec, TextSource, WebhookSpec } from '../config/read-notify.js';
import { RotateError } from '../domain/failure.js';
import { SecretValue } from '../domain/secret-value.js';
import { webhookUrlProblem } from '../domain/webhook-url.js';
import type { Notifier } from '../notify/notifier.js';
import { parseSigningSecrets } from '../notify/signature.js';
import { createWebhook } from '../notify/webhook.js';

/** @throws RotateError BadConfig */
export async function makeNotifiers({ channels }: NotifySpec): Promise<Channel[]> {
  return Promise.all(
    channels.map(async ({ name, to, ...filter }: ChannelSpec) => ({
      ...filter,
      notifier: await makeWebhook(name, to),
    })),
  );
}

async function makeWebhook(name: string, spec: WebhookSpec): Promise<Notifier> {
  const url = await textOf(spec.url, `the URL of channel \`${name}\``, (text) =>
    webhookUrlProblem(text, spec.insecure),
  );
  const headers: Record<string, SecretValue> = {};
  for (const [header, source] of Object.entries(spec.headers)) {
    headers[header] = await textOf(source, `the header ${header} of channel \`${name}\``, (text) =>
      isHeaderValue(text)
        ? undefined
        : { message: 'is not one line of printable ASCII', hint: 'correct what the file holds' },
    );
  }
  return createWebhook({ name, url, secrets: await secretsOf(name, spec), headers, format: spec.format });
}

async function secretsOf(
  name: string,
  { secretFile }: WebhookSpec,
): Promise<ReturnType<typeof parseSigningSecrets> | []> {
  if (secretFile === undefined) return [];
  await checkPrivateFile(secretFile, `the signing secrets of channel \`${name}\` in`);
  return parseSigningSecrets(await readFile(secretFile, 'utf8'), secretFile);
}

/** @param what for messages, which never repeat the text */
async function textOf(
  source: TextSource,
  what: string,
  problemOf: (text: string) => { message: string; hint: string } | undefined,
): Promise<SecretValue> {
  // The reader of worker.yaml has looked at what stands there.
  if (source.type === 'plain') return SecretValue.fromText(source.text);
  await checkPrivateFile(source.path, `${what} in`);
  const text = (await readFile(source.path, 'utf8')).trim();
  const problem = problemOf(text);
  if (problem === undefined) return SecretValue.fromText(text);
  throw new RotateError('BadConfig', `${what} in ${source.path} ${problem.message}`, { hint: problem.hint });
}
