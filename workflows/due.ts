/**
 * One look of a schedule: is something due, may it start now? Starts what is to be started, and tells what cannot be.
 * It always ends: Temporal drops the looks that come while one is under way.
 */
import { defineQuery, isCancellation, patched, setHandler, uuid4 } from '@temporalio/workflow';
import type { Assessment } from '../activities/api.js';
import type { DueSecret, DueVerdict } from '../domain/due-verdict.js';
import { makeNotification, notificationId } from '../domain/notification.js';
import { newUlid } from '../domain/ulid.js';
import { assessing } from './budgets.js';
import { dueQuery, type DueInput, type DueResult, type SequencePart } from './messages.js';
import { reasonOf } from './reason.js';
import { runSequence } from './run-sequence.js';
import { startNotify } from './start-notify.js';

export async function due(input: DueInput): Promise<DueResult> {
  const result: DueResult = { at: new Date().toISOString(), outcome: 'looking', started: [], told: [] };
  setHandler(defineQuery<DueResult>(dueQuery), () => result);
  let assessment: Assessment;
  try {
    assessment = await assessing().assess(input);
  } catch (error) {
    const { message } = reasonOf(error);
    result.outcome = 'failed';
    await tell(input, result, `the schedule could not look: ${message}`, [], 'failed', dayOf(result.at));
    return result;
  }
  const { verdict } = assessment;
  if (verdict === undefined) {
    result.outcome = 'undeclared';
    const text = 'rotate.yaml has no such schedule any more: `rotate schedule apply` removes it';
    await tell(input, result, text, [], 'undeclared', '');
    return result;
  }
  if (verdict.next !== undefined) result.next = verdict.next;
  await tellVerdict(input, result, verdict, assessment);
  if (assessment.batches.length === 0) {
    result.outcome = outcomeOf(verdict);
    return result;
  }
  result.outcome = 'started';
  const starts = assessment.batches.map(({ plan, digest }) => ({
    id: newUlid(Date.now(), uuid4()),
    by: `schedule ${input.schedule}`,
    ...(assessment.why === undefined ? {} : { why: assessment.why }),
    takeOver: false,
    plan: { plan, digest },
  }));
  const closed: { from?: string; why?: string } = {};
  const parts = await runSequence(starts, {
    endWhenParked: true,
    ...(assessment.comesAfter === undefined ? {} : { comesAfter: assessment.comesAfter }),
    // The first was started in the opening that `assess` has seen; one behind it may come hours, or days, later.
    goOn: async ({ id }) => {
      const why = patched(askedAgain) ? await closedNow(input) : undefined;
      if (why !== undefined) Object.assign(closed, { from: id, why });
      return why === undefined;
    },
    seen: (now) => {
      result.started = now.map((part) => ({ ...part }));
    },
  });
  result.started = parts;
  const shut = closed.from === undefined ? parts.length : parts.findIndex(({ id }) => id === closed.from);
  const mark = parts[0]?.id ?? '';
  const why = 'as a rotation before it did not succeed';
  await tellLeft(input, result, parts.slice(0, shut), { what: 'stopped', text: why, mark });
  await tellLeft(input, result, parts.slice(shut), { what: 'closed', text: closed.why ?? '', mark });
  return result;
}

/** Looks that were begun before this was asked go on without it. */
const askedAgain = 'ask-before-each-batch';

/** Why the schedule may not start anything any more; undefined while it may. */
async function closedNow({ environment, schedule }: DueInput): Promise<string | undefined> {
  try {
    return (await assessing().mayStart({ environment, schedule })).closed;
  } catch (error) {
    if (isCancellation(error)) throw error;
    return `as nobody could look whether it may be: ${reasonOf(error).message}`;
  }
}

/** What of `parts` was not started. @param news why not */
async function tellLeft(
  input: DueInput,
  result: DueResult,
  parts: readonly SequencePart[],
  { what, text, mark }: News,
): Promise<void> {
  const secrets = parts.filter((part) => part.state === undefined).flatMap((part) => part.secrets);
  if (secrets.length === 0) return;
  await tell(input, result, `not started, ${text}: ${secrets.join(', ')}`, secrets, what, mark);
}

function outcomeOf({ gate, secrets }: DueVerdict): DueResult['outcome'] {
  if (!secrets.some((s) => s.state !== 'not-due')) return 'nothing-due';
  if (gate.state === 'frozen') return 'frozen';
  return gate.state === 'outside-window' ? 'outside-window' : 'nothing-started';
}

/** What is due and is not started, with why; each thing once, however often the schedule looks. */
async function tellVerdict(
  input: DueInput,
  result: DueResult,
  verdict: DueVerdict,
  { people, unplanned }: Assessment,
): Promise<void> {
  for (const { secret, reason } of unplanned)
    await tell(
      input,
      result,
      `${secret}: is due and cannot be planned: ${reason}`,
      [secret],
      'unplanned',
      dayOf(result.at),
    );
  for (const secret of verdict.secrets) {
    const news = newsOf(secret, verdict, people);
    if (news !== undefined)
      await tell(input, result, `${secret.name}: ${news.text}`, [secret.name], news.what, news.mark);
  }
}

interface News {
  text: string;
  /** With {@link mark}, what makes it the same news as another. */
  what: string;
  mark: string;
}

function newsOf(secret: DueSecret, { gate }: DueVerdict, people: readonly string[]): News | undefined {
  const { state, reason, rotation, dueAt, missed, firstMissed } = secret;
  if (people.includes(secret.name)) {
    const text = `${reason}; a person has to bring the new value: \`rotate start ${secret.name}\``;
    return { text, what: 'person', mark: dueAt ?? '' };
  }
  if (state === 'busy' || state === 'parked') return { text: reason, what: state, mark: rotation ?? '' };
  if (state === 'blocked' || state === 'put-off') return { text: reason, what: state, mark: dueAt ?? '' };
  if (state !== 'due') return undefined;
  if (gate.state === 'frozen') return { text: reason, what: 'frozen', mark: gate.until };
  if (missed > 0) return { text: reason, what: 'missed', mark: `${firstMissed ?? ''}_${missed}` };
  return undefined;
}

async function tell(
  { environment, schedule }: DueInput,
  result: DueResult,
  text: string,
  secrets: string[],
  what: string,
  mark: string,
): Promise<void> {
  result.told.push(text);
  await startNotify(
    makeNotification({
      id: notificationId('schedule', environment, schedule, what, ...secrets, mark),
      event: 'schedule',
      at: result.at,
      environment,
      secrets,
      text: `schedule ${environment}/${schedule}: ${text}`,
    }),
  );
}

function dayOf(at: string): string {
  return at.slice(0, 10);
}
