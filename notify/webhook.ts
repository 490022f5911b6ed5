/** A channel that posts each notification to a URL, signed, so that the receiver knows whom it is from. */
import type { KeyObject } from 'node:crypto';
import type { Notification } from '../domain/notification.js';
import type { SecretValue } from '../domain/secret-value.js';
import { judgeAnswer, judgeFailure, judgeSilence } from './answer.js';
import type { Notifier } from './notifier.js';
import { webhookHeaders } from './signature.js';

export type WebhookFormat = 'json' | 'slack';

export interface WebhookOptions {
  name: string;
  /** One that `webhookUrlProblem` has nothing against. A secret, as it may hold a token. */
  url: SecretValue;
  /** Newest first; none: it is not signed. */
  secrets: readonly KeyObject[];
  /** More headers, by name. */
  headers: Readonly<Record<string, SecretValue>>;
  format: WebhookFormat;
  /** For connection, TLS and answer together. Default 10,000. */
  timeoutMs?: number;
}

/** Bytes of an answer that are taken, so that the connection can serve again; with more to come it is closed. */
const answerLimit = 4 * 1024;

export function createWebhook(options: WebhookOptions): Notifier {
  const { name, url, secrets, format, timeoutMs = 10_000 } = options;
  const receiver = { channel: name, origin: new URL(url.text()).origin };
  return {
    name,
    async send(notification, signal) {
      const body = render(notification, format);
      const headers = {
        ...Object.fromEntries(Object.entries(options.headers).map(([key, value]) => [key, value.text()])),
        'content-type': 'application/json',
        'user-agent': 'rotate',
        ...webhookHeaders(secrets, notification.id, Date.now(), body),
      };
      const late = new AbortController();
      const timer = setTimeout(() => late.abort(), timeoutMs);
      const stop = AbortSignal.any([signal, late.signal]);
      try {
        const answer = await post(url, headers, body, stop).catch((error: unknown) => {
          signal.throwIfAborted();
          throw late.signal.aborted ? judgeSilence(receiver, timeoutMs) : judgeFailure(receiver, error);
        });
        judgeAnswer(receiver, answer.status, answer.headers.get('retry-after'), Date.now());
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

async function post(
  url: SecretValue,
  headers: Record<string, string>,
  body: string,
  signal: AbortSignal,
): Promise<Response> {
  // A redirect would take what is told, and the token in the URL, to someone whom nobody chose.
  const response = await fetch(url.text(), { method: 'POST', headers, body, redirect: 'manual', signal });
  await discard(response.body);
  return response;
}

/** The body of the request. Slack's `text` is its markup, in which three characters mean something. */
function render(notification: Notification, format: WebhookFormat): string {
  if (format === 'json') return JSON.stringify(notification);
  const text = notification.text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return JSON.stringify({ text });
}

async function discard(body: ReadableStream<Uint8Array> | null): Promise<void> {
  if (body === null) return;
  const reader = body.getReader();
  try {
    let taken = 0;
    while (taken <= answerLimit) {
      const { done, value } = await reader.read();
      if (done) return;
      taken += value.byteLength;
    }
    await reader.cancel();
  } catch {
    // The status has been told, and it alone is the answer: a body that breaks off, or is too slow, changes nothing.
  }
}
