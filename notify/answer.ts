/**
 * What a receiver's answer, or its lack, means: delivered, try again, or do not.
 *
 * A message names the channel and the receiver's origin. It never repeats path or
 * query of the URL, where a redirect leads, or what the receiver said: each may hold
 * the token that the URL is. For the same reason fetch's own error is no cause: it
 * may quote what the receiver sent; its code says all that is needed.
 */
import { RotateError, type FailureOptions } from '../domain/failure.js';
import { systemCode, systemReason } from '../domain/system-error.js';

/** Who was asked. */
export interface Receiver {
  channel: string;
  /** Scheme, host and port. */
  origin: string;
}

/** Besides 5xx. 408: too slow, 425: too early, 429: too many. */
const passing: ReadonlySet<number> = new Set([408, 425, 429]);

/** A receiver may ask for a pause, and not for silence. */
const leastPauseMs = 1_000;
const mostPauseMs = 3_600_000;

/**
 * Returns when `status` is one of success.
 * @param retryAfter the header of that name
 * @param now milliseconds since 1970
 * @throws RotateError NotifyUnreachable, NotifyRefused
 */
export function judgeAnswer(
  receiver: Receiver,
  status: number,
  retryAfter: string | null,
  now: number,
): void {
  if (status >= 200 && status < 300) return;
  const answer = `answers ${status}`;
  if (status >= 500 || passing.has(status)) {
    const pause = pauseOf(retryAfter, now);
    throw unreachable(receiver, answer, {
      status,
      ...(pause === undefined ? {} : { retryAfterMs: pause }),
    });
  }
  if (status >= 300 && status < 400)
    throw refused(receiver, `${answer}: it redirects, which is not followed`, {
      hint: `give \`notify.channels.${receiver.channel}\` the URL that it redirects to`,
      details: { status },
    });
  throw refused(receiver, answer, {
    hint: `look at the URL, the secret and the headers of \`notify.channels.${receiver.channel}\` in worker.yaml, and into the receiver's log`,
    details: { status },
  });
}

/** How long `Retry-After` (RFC 9110, 10.2.3: seconds or a date) asks to wait, ms; undefined when it says nothing. */
function pauseOf(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const text = header.trim();
  const ms = /^\d{1,9}$/.test(text)
    ? Number(text) * 1_000
    : text.endsWith(' GMT')
      ? Date.parse(text) - now
      : Number.NaN;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, leastPauseMs), mostPauseMs);
}

/** What it means that fetch threw `error`. */
export function judgeFailure(receiver: Receiver, error: unknown): RotateError {
  const code = systemCode(error);
  if (code !== undefined && isDistrust(code))
    return refused(receiver, `cannot prove who it is, TLS fails (${code})`, {
      hint: 'give it a certificate that this machine trusts; for an authority of your own set NODE_EXTRA_CA_CERTS for the worker',
      details: { code },
    });
  return unreachable(
    receiver,
    code === undefined ? 'cannot be reached' : `cannot be reached: ${systemReason(error)}`,
    code === undefined ? {} : { code },
  );
}

/** What it means that there was no answer in time. */
export function judgeSilence(receiver: Receiver, timeoutMs: number): RotateError {
  return unreachable(receiver, `does not answer within ${timeoutMs / 1_000} s`, {});
}

/** Codes of Node and OpenSSL for a peer that does not prove who it is, or does not speak TLS. */
function isDistrust(code: string): boolean {
  if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT') return false;
  return (
    /^(ERR_TLS_|ERR_SSL_|CERT_|CRL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERROR_IN_C)/.test(code) ||
    ['EPROTO', 'INVALID_CA', 'INVALID_PURPOSE', 'PATH_LENGTH_EXCEEDED', 'HOSTNAME_MISMATCH'].includes(code)
  );
}

function unreachable(
  { channel, origin }: Receiver,
  what: string,
  details: NonNullable<FailureOptions['details']>,
): RotateError {
  return new RotateError('NotifyUnreachable', `channel \`${channel}\`: ${origin} ${what}`, {
    hint: 'see whether the receiver is up, and whether the worker reaches it',
    details: { channel, ...details },
  });
}

function refused(
  { channel, origin }: Receiver,
  what: string,
  options: { hint: string; details: NonNullable<FailureOptions['details']> },
): RotateError {
  return new RotateError('NotifyRefused', `channel \`${channel}\`: ${origin} ${what}`, {
    hint: options.hint,
    details: { channel, ...options.details },
  });
}
