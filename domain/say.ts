/** What a person can say to a rotation: why it makes no sense now, and what it changes. Pure, as record.ts. */
import { nothingBegan } from './decide.js';
import type { Reason } from './failure.js';
import type { Journal } from './journal.js';
import { hostsOf, secretOf, structuredCopy } from './journal-parts.js';
import { note, showState } from './progress.js';
import { finish, turnBack } from './record.js';
import { isEndState } from './steps.js';
import { hostsHoldingOld, mayHoldNew, pastUndo } from './undo.js';

/** What a person can say to a rotation. */
export type PersonRequest =
  | { say: 'retry'; by: string }
  /** He has done what the rotation asked of him. */
  | { say: 'confirm'; by: string }
  | { say: 'skip'; by: string; host: string; acceptLoss: boolean }
  | { say: 'rollback'; by: string }
  | { say: 'abort'; by: string };

/** Why `request` makes no sense now; undefined when it does. */
export function objection(journal: Journal, request: PersonRequest): Reason | undefined {
  if (isEndState(journal.state))
    return refuse(
      `rotation ${journal.id} has ended (${journal.state})`,
      `see \`rotate status ${journal.id}\``,
    );
  if (journal.released)
    return refuse(
      `rotation ${journal.id} is over and writes its record`,
      `see \`rotate status ${journal.id}\``,
    );
  switch (request.say) {
    case 'retry':
      return journal.parked === undefined ? notWaiting(journal) : undefined;
    case 'confirm':
      if (journal.parked === undefined) return notWaiting(journal);
      if (journal.parked.reason.type === 'NeedsPerson') return undefined;
      return refuse(
        `rotation ${journal.id} has not asked for anything to be done`,
        `\`rotate retry ${journal.id}\` goes on with it`,
      );
    case 'skip': {
      const host = journal.hosts.find((h) => h.name === request.host);
      if (host === undefined) {
        return {
          type: 'UnknownHost',
          message: `host \`${request.host}\` is not part of rotation ${journal.id}`,
          hint: `its hosts are: ${journal.hosts.map((h) => h.name).join(', ')}`,
        };
      }
      if (journal.parked === undefined) return notWaiting(journal);
      const matters =
        journal.mode === 'undo'
          ? mayHoldNew(host)
          : journal.drop === undefined
            ? !host.verified
            : host.drop?.verified !== true;
      return matters
        ? undefined
        : refuse(
            `host \`${host.name}\` has nothing left to do in rotation ${journal.id}`,
            `\`rotate retry ${journal.id}\` goes on with the others`,
          );
    }
    case 'rollback':
      if (journal.mode === 'undo') {
        return refuse(
          `rotation ${journal.id} is being undone already`,
          `\`rotate watch ${journal.id}\` shows it`,
        );
      }
      if (pastUndo(journal)) {
        return refuse(
          `the old value of rotation ${journal.id} is destroyed: from here on only forward`,
          'start a new rotation instead, once this one has ended',
        );
      }
      return undefined;
    case 'abort':
      return undefined;
    default:
      return request satisfies never;
  }
}

function notWaiting({ id }: Journal): Reason {
  return refuse(`rotation ${id} is not waiting for a person`, `\`rotate status ${id}\` shows what it does`);
}

function refuse(message: string, hint?: string): Reason {
  return { type: 'NotAllowed', message, ...(hint === undefined ? {} : { hint }) };
}

/** Writes down what a person said; {@link objection} has passed. */
export function follow(journal: Journal, request: PersonRequest, now: string): Journal {
  const j = structuredCopy(journal);
  note(j, now, `${request.say}${request.say === 'skip' ? ` ${request.host}` : ''} by ${request.by}`);
  switch (request.say) {
    case 'confirm': {
      const { command, act } = j.parked ?? {};
      if (command?.do === 'apply') {
        const { secret: name, purpose } = command;
        const secret = secretOf(j, name);
        secret.confirmed = { ...secret.confirmed, [purpose]: request.by };
        if (act !== undefined) {
          const acts = { ...secret.confirmedActs?.[purpose], [act]: request.by };
          secret.confirmedActs = { ...secret.confirmedActs, [purpose]: acts };
        }
      }
      unpark(j, now);
      return j;
    }
    case 'retry':
      unpark(j, now);
      // Hosts that hold something up get another chance, unless their loss was accepted.
      for (const h of j.mode === 'undo' ? j.hosts.filter(mayHoldNew) : hostsHoldingOld(j)) {
        if (h.lossAccepted) continue;
        h.skipped = false;
        delete h.failed;
      }
      return j;
    case 'skip': {
      const [host] = hostsOf(j, [request.host]);
      if (host !== undefined) {
        host.skipped = true;
        host.lossAccepted ||= request.acceptLoss;
      }
      unpark(j, now);
      return j;
    }
    case 'rollback':
      return turnBack(j, { type: 'Interrupted', message: `rolled back on request of ${request.by}` }, now);
    case 'abort':
      j.reason = {
        type: 'Interrupted',
        message: `aborted by ${request.by}; ${remains(j)}`,
        hint: 'put things right, then `rotate start … --take-over`: until then no other rotation of the secret starts',
      };
      return finish(j, 'failed', now);
    default:
      return request satisfies never;
  }
}

function unpark(j: Journal, now: string): void {
  delete j.parked;
  showState(j, 'running', now);
}

/** What an abort leaves behind, for a person. */
export function remains(j: Journal): string {
  const left: string[] = [];
  for (const s of j.secrets) {
    if (s.destroy !== 'none') left.push(`the old value of ${s.name} may be destroyed`);
    else if (s.disable !== 'none' && s.reenable !== 'done')
      left.push(`the old value of ${s.name} may be disabled`);
    if ((s.provision !== 'none' || s.generated !== 'none') && s.withdraw !== 'done')
      left.push(`the new value of ${s.name} may be valid`);
  }
  const holding = j.hosts.filter(mayHoldNew).map((h) => h.name);
  if (holding.length > 0) left.push(`${holding.join(', ')} may run with the new value`);
  if (j.repo.merge !== 'none' && j.repo.unpublish !== 'done') left.push('main may have the new value');
  else if (j.repo.branch !== 'none' && j.repo.unpublish !== 'done')
    left.push('the branch of the rotation is there');
  if (left.length > 0) return `what remains: ${left.join('; ')}`;
  return nothingBegan(j) ? 'nothing was changed' : 'what was changed is undone';
}
