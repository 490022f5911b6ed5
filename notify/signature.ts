/**
 * Signatures of webhooks after Standard Webhooks 1.0.0 (symmetric, `v1`):
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { RotateError } from '../domain/failure.js';

/** 192 bits, as the specification asks for. */
const leastBytes = 24;

const prefix = 'whsec_';

/**
 * Reads the text of a file with signing secrets: one a line, newest first; empty lines and `#` comments are skipped.
 * A secret is `whsec_` and base64, or else the line itself, as its UTF-8 bytes.
 * @param source how messages name the text, usually its path
 * @throws RotateError BadConfig, naming source and line and never the line's content
 */
export function parseSigningSecrets(text: string, source: string): [KeyObject, ...KeyObject[]] {
  const keys = text.split('\n').flatMap((raw, index) => {
    const line = raw.trim();
    return line === '' || line.startsWith('#') ? [] : [parseSecret(line, `${source}:${index + 1}`)];
  });
  const [first, ...rest] = keys;
  if (first === undefined) throw wrong(`${source}: holds no signing secret`);
  return [first, ...rest];
}

function parseSecret(line: string, where: string): KeyObject {
  if (/^wh[sp]k_/.test(line)) throw wrong(`${where}: is a key for asymmetric signatures, which are not made`);
  const bytes = line.startsWith(prefix) ? fromBase64(line.slice(prefix.length)) : Buffer.from(line, 'utf8');
  if (bytes === undefined) throw wrong(`${where}: what follows ${prefix} is not base64`);
  if (bytes.length < leastBytes)
    throw wrong(`${where}: a signing secret has at least ${leastBytes} bytes, this one ${bytes.length}`);
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return key;
}

/** Padding may be missing; undefined when it is not base64. */
function fromBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  const bare = (base64: string): string => base64.replace(/=+$/, '');
  return bare(bytes.toString('base64')) === bare(text) ? bytes : undefined;
}

function wrong(message: string): RotateError {
  return new RotateError('BadConfig', message, {
    hint: `make one with \`echo "${prefix}$(openssl rand -base64 32)"\`, and give the receiver the same`,
  });
}

/**
 * The headers that tell and prove what is sent: id, time of this attempt, and one signature for each of `secrets`,
 * in their order; without secrets no signature. What is signed is `id.time.body`.
 * @param at milliseconds since 1970
 */
export function webhookHeaders(
  secrets: readonly KeyObject[],
  id: string,
  at: number,
  body: string,
): Record<string, string> {
  const timestamp = String(Math.floor(at / 1000));
  const signatures = secrets.map(
    (secret) => `v1,${createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64')}`,
  );
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    ...(signatures.length === 0 ? {} : { 'webhook-signature': signatures.join(' ') }),
  };
}
