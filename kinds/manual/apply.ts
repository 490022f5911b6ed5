/** Converges the vendor to a target: looks by the check, and has done what is missing, by a command or by a person. */
import type { CheckResult, Credential, Target } from '../../domain/credential.js';
import { RotateError } from '../../domain/failure.js';
import { formatSecretRef } from '../../domain/spec.js';
import type { Applied, Credentials, KindContext } from '../kind.js';
import {
  type Act,
  type Attempt,
  type Look,
  actsFor,
  contradiction,
  isDone,
  isPresumed,
  isReplaced,
} from './acts.js';
import { type Command, type Person, checkOf, effectOf, toldOf } from './means.js';
import { probe } from './probe.js';
import { run } from './run.js';
import type { ManualSettings } from './schema.js';
import { asked, contradicted, replaced } from './told.js';

/** The vendor stores no fence: docs/kinds/manual.md says which race is left. */
export async function applyTarget(
  context: KindContext,
  settings: ManualSettings,
  credentials: Credentials,
  target: Target,
): Promise<Applied> {
  const fresh = credentials.new;
  if (fresh === undefined) throw new RotateError('Internal', 'there is no new value to apply');
  const { purpose } = credentials;
  const both = { old: credentials.old, new: fresh };
  const keepsOld = settings.overlap === 'dual' && target.old === 'valid';
  const look = await lookAt(context, settings, both);
  if (keepsOld && purpose === 'provision' && isReplaced(look)) throw replaced(context);
  let changed = false;
  let provisioned = false;
  for (const act of actsFor(settings.overlap, target, purpose)) {
    const means = meansOf(settings, act);
    const byPerson = means?.by === 'person';
    const attempt = { act, target, ...(purpose === undefined ? {} : { purpose }), byPerson };
    if (isDone(act, look) || isPresumed(attempt, look)) continue;
    if (means === undefined) {
      // A value that nothing ends lives as long as the vendor lets it, and the proof says so.
      if (act === 'provision') mustNotContradict(context, act, look, undefined);
      continue;
    }
    if (means.by === 'person') askFor(context, settings, attempt, means, look, credentials);
    else {
      await runEffect(context, means, both[valueOf(act)]);
      provisioned ||= act === 'provision';
    }
    changed = true;
  }
  // Consumers still run with the old value, so a vendor that has only one is found out here and not by them.
  if (keepsOld && provisioned && isReplaced(await lookAt(context, settings, both))) throw replaced(context);
  return { changed, endedSessions: 0 };
}

/** A value is taken away, or put back, as the other one would be. */
function meansOf(settings: ManualSettings, act: Act): Command | Person | undefined {
  const block = settings[act === 'withdraw' ? 'revoke' : act === 'restore' ? 'provision' : act];
  if (block !== undefined) return effectOf(block);
  return act === 'restore'
    ? { by: 'person', checklist: 'have the vendor accept the value that the file on main has' }
    : undefined;
}

function valueOf(act: Act): 'old' | 'new' {
  return act === 'provision' || act === 'withdraw' ? 'new' : 'old';
}

/** By the check, where there is one; one consumer speaks for all. */
async function lookAt(
  context: KindContext,
  settings: ManualSettings,
  both: { old: Credential; new: Credential },
): Promise<Look> {
  const check = settings.check === undefined ? undefined : checkOf(settings.check);
  const from = check?.by === 'consumers' ? context.consumers?.[0] : undefined;
  const ask = async ({ value }: Credential): Promise<CheckResult['outcome']> => {
    const [result] = await probe(context, settings, value, from);
    return result?.outcome ?? 'unknown';
  };
  const [old, fresh] = await Promise.all([ask(both.old), ask(both.new)]);
  return { old, new: fresh };
}

/**
 * What he has confirmed counts for what he was asked for, and for nothing else that turns out to be missing.
 * @throws RotateError NeedsPerson; when he has confirmed what is not so: see {@link contradiction}
 */
function askFor(
  context: KindContext,
  { overlap }: ManualSettings,
  { act, target }: Attempt,
  { checklist }: Person,
  look: Look,
  { confirmedActs, confirmedBy }: Pick<Credentials, 'confirmedActs' | 'confirmedBy'>,
): void {
  const by = confirmedActs === undefined ? confirmedBy : confirmedActs[act];
  if (by !== undefined) return mustNotContradict(context, act, look, by);
  const lost = act === 'provision' && target.old === 'destroyed';
  throw asked(context, { overlap, act, lost }, checklist);
}

function mustNotContradict(
  context: KindContext,
  act: Act,
  look: Look,
  confirmedBy: string | undefined,
): void {
  const type = contradiction(act, look);
  if (type !== undefined) throw contradicted(context, act, type, confirmedBy);
}

/** @throws RotateError IssuerMisconfigured; IssuerBusy, when the command asks to be tried again */
async function runEffect(context: KindContext, command: Command, { value }: Credential): Promise<void> {
  const code = await run(context, command, value);
  if (code === 0) return;
  const where = command.by === 'host' ? { host: command.host } : {};
  const what = `${formatSecretRef(context.secret)}: ${toldOf(command)}`;
  if (code === tryAgain)
    throw new RotateError('IssuerBusy', `${what} asks to be tried again (exit code ${code})`, where);
  throw new RotateError('IssuerMisconfigured', `${what} ended with exit code ${code}`, {
    ...where,
    hint:
      code === 126 || code === 127
        ? 'is it installed there, and may it be run?'
        : 'run it there by hand: what it prints is not kept, it may hold the value',
  });
}

/** EX_TEMPFAIL of sysexits.h. */
const tryAgain = 75;
