/**
 * What may stand in a log line.
 *
 * The SDK logs decrypted errors and, with some, the whole task: its token, with which
 * anyone can complete it, and its payloads. Here an error is its type and its message;
 * tokens and tasks go.
 */
import { redactText } from '../domain/redact-text.js';
import { SecretValue } from '../domain/secret-value.js';

/** Metadata of the SDK that is never logged: credentials for one task, or the task itself. */
const dropped: ReadonlySet<string> = new Set([
  'taskToken',
  'base64TaskToken',
  'task',
  'taskEncoded',
  'headers',
  'heartbeatDetails',
  'stack',
  'stackTrace',
]);

const maxDepth = 6;
const maxText = 4096;

/** `value` as plain JSON, without what must not be logged. */
export function redactForLog(value: unknown, depth = 0): unknown {
  if (depth > maxDepth) return '[deep]';
  if (typeof value === 'string') return redactText(value.slice(0, maxText));
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'symbol' || typeof value === 'function') return undefined;
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof SecretValue) return value.toJSON();
  if (value instanceof Error) return describeError(value, depth);
  if (value instanceof Date) return value.toISOString();
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value)) return value.map((item) => redactForLog(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !dropped.has(key))
      .map(([key, item]) => [key, redactForLog(item, depth + 1)]),
  );
}

function describeError(error: Error, depth: number): Record<string, unknown> {
  const type = 'type' in error && typeof error.type === 'string' ? error.type : error.name;
  return {
    type,
    message: redactText(error.message.slice(0, maxText)),
    ...(error.cause instanceof Error ? { cause: redactForLog(error.cause, depth + 1) } : {}),
  };
}
