/** Tries a value by the check of the settings. */
import { randomBytes } from 'node:crypto';
import type { CheckResult } from '../../domain/credential.js';
import { asRotateError } from '../../domain/failure.js';
import { SecretValue } from '../../domain/secret-value.js';
import type { KindContext } from '../kind.js';
import { type Command, type ConsumersCommand, checkOf, nameOf, toldOf } from './means.js';
import { run } from './run.js';
import type { ManualSettings } from './schema.js';

/** Nothing was learnt about the value. Anything else (a wrong host key, say) stays an error. */
const silent = new Set(['HostUnreachable', 'HostBusy', 'HostUnknownOutcome', 'IssuerUnreachable', 'Timeout']);

/**
 * @param from the host that asks; the check may have a place of its own
 * @returns empty where there is no check, or none that can be made from the worker
 */
export async function probe(
  context: KindContext,
  settings: ManualSettings,
  value: SecretValue,
  from: string | undefined,
): Promise<CheckResult[]> {
  context.signal.throwIfAborted();
  if (settings.check === undefined) return [];
  const command = at(checkOf(settings.check), from);
  if (command === undefined) return [];
  const place = {
    endpoint: nameOf(command),
    ...(command.by === 'host' ? { host: command.host } : {}),
  };
  try {
    const code = await run(context, command, value);
    const outcome = code === 0 ? 'accepted' : code === 1 ? 'refused' : 'unknown';
    return [{ ...place, outcome, code: `exit ${code}`, message: `by ${toldOf(command)}` }];
  } catch (error) {
    context.signal.throwIfAborted();
    const known = asRotateError(error);
    if (known === undefined || !silent.has(known.type)) throw error;
    return [{ ...place, outcome: 'unknown', message: known.message }];
  }
}

/** The check where it is to be made from; undefined: it cannot be made from there. */
function at(check: Command | ConsumersCommand, from: string | undefined): Command | undefined {
  if (check.by !== 'consumers') return check;
  return from === undefined ? undefined : { ...check, by: 'host', host: from };
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** A random value of the same length, and another one. */
export function wrongValue(right: SecretValue): SecretValue {
  for (;;) {
    const characters = [...randomBytes(Math.max(1, right.length))].map((byte) => alphabet.charAt(byte & 63));
    const wrong = SecretValue.fromText(characters.join(''));
    if (!wrong.equals(right)) return wrong;
  }
}
