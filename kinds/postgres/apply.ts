/** Converges the server to a target: one transaction, fenced, unlogged; then ends sessions. */
import { z } from 'zod';
import type { Credential, Target } from '../../domain/credential.js';
import { RotateError, asRotateError } from '../../domain/failure.js';
import { type Fence, compareFences, formatFence } from '../../domain/fence.js';
import { type SecretRef, formatSecretRef } from '../../domain/spec.js';
import type { AdminSession } from './admin-session.js';
import type { Applied } from '../kind.js';
import { converge, convergeSwap } from './convergence.js';
import { readFenceTag, writeFenceTag } from './fence-tag.js';
import { accountOf, roleCredential } from './role-credential.js';
import { readJson, readServer } from './role-state.js';
import type { PostgresSettings } from './schema.js';
import { ownCodes } from './sqlstate.js';
import * as sql from './statements.js';

/** How often the state is read again because another secret's rotation changed the shared comment meanwhile. */
const maxTries = 10;
/** How long sessions may take to end. A backend ends at its next interrupt, so milliseconds are usual. */
const endWithinMs = 10_000;

/**
 * The state is read first, and what to do decided here; the transaction then takes the lock and goes on only if the
 * comment, and with it every fence, is still what was read. So both ways in, of which psql has no answers half-way,
 * run the same statements.
 */
export async function applyTarget(
  session: AdminSession,
  secret: SecretRef,
  settings: PostgresSettings,
  credentials: { old: Credential; new: Credential; since?: string },
  target: Target,
  fence: Fence,
  signal: AbortSignal,
): Promise<Applied> {
  const [old, fresh] = [accountOf(settings, credentials.old), accountOf(settings, credentials.new)];
  const swap = settings.roles.length === 1;
  if (!swap && old === fresh)
    throw new RotateError('IssuerMisconfigured', `the old and the new value both belong to ${old}`);
  for (let tries = 0; tries < maxTries; tries++) {
    signal.throwIfAborted();
    const state = await readServer(session, settings.owner, [...new Set([old, fresh])]);
    const stored = readFenceTag(state.comment, secret);
    if (compareFences(stored, fence) > 0) throw superseded(session, secret, fence, stored);
    const ready = {
      old: await roleCredential(settings, credentials.old, state.roles.get(old)?.password),
      new: await roleCredential(settings, credentials.new, state.roles.get(fresh)?.password),
    };
    const { alterations, ended } = swap
      ? { alterations: convergeSwap(session.server, state, ready, target), ended: [] }
      : converge(session.server, state, ready, target);
    const doomed = swap ? openedBefore(old, target, credentials.since) : ofRoles(ended);
    const comment = writeFenceTag(state.comment, secret, fence);
    // Who could not log in before has nobody on the way in.
    const shut = ended.length > 0 && ended.every((role) => state.roles.get(role)?.canLogin === false);
    const done = await attempt(session, settings.owner, state.comment, comment, alterations, doomed, shut);
    if (done === 'read again') continue;
    const told =
      doomed === undefined ? new Set<number>() : await endAll(session, doomed, done.looks, shut, signal);
    return { changed: alterations.length > 0, endedSessions: told.size, at: done.at };
  }
  throw new RotateError('IssuerBusy', `${session.server}: the comment on ${settings.owner} keeps changing`, {
    hint: 'see who else sets it',
  });
}

function ofRoles(roles: readonly string[]): sql.Doomed | undefined {
  return roles.length === 0 ? undefined : { roles };
}

/** Of a role that goes on with another password: sessions that the old one has opened. */
function openedBefore(role: string, target: Target, since: string | undefined): sql.Doomed | undefined {
  return target.old === 'valid' || since === undefined ? undefined : { role, before: since };
}

/**
 * @param doomed sessions to end after the change
 * @param shut no login can have been let in before it
 * @returns the server's time after the change, and the first looks at those sessions
 */
async function attempt(
  session: AdminSession,
  owner: string,
  before: string | undefined,
  after: string,
  alterations: readonly string[],
  doomed: sql.Doomed | undefined,
  shut: boolean,
): Promise<{ at: string; looks: Look[] } | 'read again'> {
  // In one run, as each takes longer than all of its statements.
  const looks = doomed === undefined ? [] : [look(doomed, false), look(doomed, !shut)];
  const statements = [
    sql.silenceSampling,
    sql.begin,
    sql.silence,
    sql.limits,
    sql.lockOwner(owner),
    sql.requireComment(owner, before),
    ...alterations,
    ...(after === before ? [] : [sql.setComment(owner, after)]),
    sql.commit,
    sql.serverTime,
  ];
  try {
    const results = await session.run([...statements, ...looks.flat()]);
    const [at] = readJson(results[statements.length - 1], z.tuple([z.string()]), session);
    const seen = looks.map((each, i) =>
      readLook(results.slice(statements.length + i * each.length), session),
    );
    return { at, looks: seen };
  } catch (error) {
    if (asRotateError(error)?.details?.['sqlstate'] === ownCodes.commentChanged) return 'read again';
    throw error;
  }
}

interface Look {
  /** Process ids of sessions that were told to end. */
  told: number[];
  /** How many there still were after that. */
  left: number;
}

/** @param wait for a login that was let in just before: it shows up only after the commit */
function look(doomed: sql.Doomed, wait: boolean): readonly [string, string, string] {
  return [`SELECT pg_sleep(${wait ? 0.2 : 0})`, sql.endSessions(doomed), sql.countSessions(doomed)];
}

function readLook([, told, left]: readonly string[][], session: AdminSession): Look {
  return { told: readJson(told, z.array(z.number()), session), left: readJson(left, z.number(), session) };
}

/**
 * Ends sessions until none is left, twice in a row.
 * @param first the looks so far
 * @param shut no login can have been let in before the change, and none of these looks has waited for one
 * @returns process ids of those that were told to end
 */
async function endAll(
  session: AdminSession,
  doomed: sql.Doomed,
  first: readonly Look[],
  shut: boolean,
  signal: AbortSignal,
): Promise<Set<number>> {
  const looks = [...first];
  let waited = !shut;
  const deadline = Date.now() + endWithinMs;
  for (;;) {
    const last = looks.at(-1);
    const told = looks.flatMap((each) => each.told);
    // Where there was somebody, somebody else may have come in just before.
    if (last?.told.length === 0 && last.left === 0 && (waited || told.length === 0)) return new Set(told);
    if (Date.now() > deadline)
      throw new RotateError(
        'NotDead',
        `${session.server}: ${last?.left ?? 0} sessions of ${'role' in doomed ? doomed.role : doomed.roles.join(', ')} do not end`,
        {
          hint: 'see pg_stat_activity; only a superuser can end a superuser’s session',
        },
      );
    signal.throwIfAborted();
    looks.push(readLook(await session.run(look(doomed, true)), session));
    waited = true;
  }
}

function superseded(session: AdminSession, secret: SecretRef, fence: Fence, stored: Fence): RotateError {
  return new RotateError(
    'Superseded',
    `${session.server}: ${formatSecretRef(secret)} belongs to a later attempt by now: the fence there is ${formatFence(stored)}, that of this attempt ${formatFence(fence)}`,
    {
      hint: 'nothing was changed; see `rotate status`',
      details: { stored: formatFence(stored) },
    },
  );
}
