/** Tries a value as a consumer would, from where a consumer is, and says what the vendor answered. */
import type { CheckResult } from '../../domain/credential.js';
import { asRotateError } from '../../domain/failure.js';
import type { KindContext } from '../kind.js';
import { isRedirect, targetOf, tellRedirect } from './answers.js';
import { type Answer, exchange } from './exchange.js';
import { placeOf, prepare, type PreparedRequest } from './prepare.js';
import type { HttpSettings } from './schema.js';
import type { Values } from './template.js';

/** What the network or the host on the way has to say is no answer. A wrong host key stays an error. */
const networkFailures = new Set([
  'IssuerUnreachable',
  'IssuerAuthFailed',
  'HostUnreachable',
  'HostBusy',
  'HostUnknownOutcome',
  'Timeout',
]);

/** @param from the host that connects; absent: the worker */
export async function probe(
  context: KindContext,
  settings: HttpSettings,
  values: Values,
  from: string | undefined,
): Promise<CheckResult[]> {
  context.signal.throwIfAborted();
  const prepared = prepare(settings, settings.check, values);
  const via = from === undefined ? undefined : context.hosts.host(from);
  const where = {
    endpoint: placeOf(settings, settings.check),
    ...(from === undefined ? {} : { host: from }),
  };
  try {
    const answer = await exchange(prepared, { signal: context.signal, via, read: false });
    return [{ ...where, ...outcomeOf(settings.check, prepared, answer) }];
  } catch (error) {
    const known = asRotateError(error);
    if (known === undefined || !networkFailures.has(known.type)) throw error;
    return [{ ...where, outcome: 'unknown', message: known.message }];
  }
}

/** Only what is configured as an answer is one: no redirect, no limit, no fault of the vendor's own. */
function outcomeOf(
  { accepted, refused }: HttpSettings['check'],
  prepared: PreparedRequest,
  answer: Answer,
): Pick<CheckResult, 'outcome' | 'code' | 'message'> {
  const { status } = answer;
  const code = String(status);
  if (accepted.includes(status)) return { outcome: 'accepted', code };
  if (refused.includes(status)) return { outcome: 'refused', code };
  return {
    outcome: 'unknown',
    code,
    message: isRedirect(status)
      ? `${prepared.title} ${tellRedirect(prepared, targetOf(prepared, answer))}`
      : 'is neither in http.check.accepted nor in http.check.refused',
  };
}
