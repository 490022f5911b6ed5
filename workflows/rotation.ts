/**
 * The rotation: a hand for `decide`. It runs what that says, writes down what came
 * of it, and listens to people. On entering a soak or a park it continues as new
 * with its journal, so that histories stay small and upgrades happen at rest.
 */
import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  getExternalWorkflowHandle,
  log,
  setHandler,
  upsertMemo,
  workflowInfo,
} from '@temporalio/workflow';
import { claimsOf } from '../domain/claims.js';
import { decide } from '../domain/decide.js';
import { formatFence } from '../domain/fence.js';
import { rotationId } from '../domain/ids.js';
import type { Command, Journal, Outcome, SecretJournal } from '../domain/journal.js';
import { notificationOf } from '../domain/notification.js';
import {
  eventsAfter,
  forNextRun,
  memoOf,
  newsOf,
  note,
  showHost,
  statusOf,
  stepOf,
} from '../domain/progress.js';
import { finish, letGo, parkOn, record, register, rest as takeRest } from '../domain/record.js';
import { follow, objection } from '../domain/say.js';
import { requestObjection } from '../domain/request.js';
import { startJournal } from '../domain/start.js';
import { isDrop, pastUndo } from '../domain/undo.js';
import { recording } from './budgets.js';
import type { HostReport } from './host-report.js';
import {
  eventsQuery,
  progressSignal,
  releaseSignal,
  sayUpdate,
  statusMemo,
  statusQuery,
  type EventsAnswer,
  type RotationInput,
  type SayRequest,
  type StatusAnswer,
  type WaveProgress,
} from './messages.js';
import { askedOf, failure, reasonOf } from './reason.js';
import { runCommand } from './run-command.js';
import { startNotify } from './start-notify.js';

/** Past destroy only forward is possible, and a second deploy waits for its turn: a park there tries again by itself. */
const retryParkedEveryMs = 15 * 60_000;
/** Requests whose nonces are remembered; each also expires. */
const keptNonces = 200;

const now = (): string => new Date().toISOString();

export async function rotation(input: RotationInput): Promise<StatusAnswer> {
  let { journal, nonces } = begin(input);
  /** The commands under way: `rollback` cancels what goes forward, `abort` whatever it is. */
  let current: CancellationScope | undefined;
  let worked = false;
  /** How often someone has said something: what comes while something else is awaited must not be passed over. */
  let said = 0;
  let lastMemo = '';
  /** Until all that is to be told is under way. */
  let telling: Promise<unknown> = Promise.resolve();

  setHandler(defineQuery<StatusAnswer>(statusQuery), () => statusOf(journal));
  setHandler(defineQuery<EventsAnswer, [number]>(eventsQuery), (after) => ({
    status: statusOf(journal),
    events: eventsAfter(journal, after),
  }));
  setHandler(defineSignal<[WaveProgress[]]>(progressSignal), (batch) => {
    if (journal.endedAt !== undefined) return;
    for (const { step, host } of batch) showHost(journal, step, host, now());
  });
  setHandler(
    defineUpdate<StatusAnswer, [SayRequest]>(sayUpdate),
    (request) => {
      nonces = [...nonces, request.nonce].slice(-keptNonces);
      said += 1;
      journal = follow(journal, request.body, now());
      if (request.body.say === 'rollback' || request.body.say === 'abort') current?.cancel();
      return statusOf(journal);
    },
    {
      validator: (request) => {
        const bad =
          requestObjection(request, workflowInfo().workflowId, now(), nonces) ??
          objection(journal, request.body);
        if (bad !== undefined) throw failure(bad);
      },
    },
  );

  // Someone who cancels through Temporal itself means what `rollback` means.
  const outer = CancellationScope.current();
  outer.cancelRequested.catch(() => {
    const request = { say: 'rollback', by: 'a cancellation through Temporal' } as const;
    if (objection(journal, request) !== undefined) return;
    said += 1;
    journal = follow(journal, request, now());
    current?.cancel();
  });

  return CancellationScope.nonCancellable(async () => {
    while (journal.endedAt === undefined) {
      showMemo();
      tell();
      const heard = said;
      const action = decide(journal, now());
      if (action.type === 'end') {
        // Let go first: whoever sees the end can start the next one at once.
        journal = letGo(journal);
        await release();
        journal = finish(journal, action.state, now());
      } else if (action.type === 'wait') {
        // Perhaps for weeks.
        if (worked && action.for === 'keep-old') await rest();
        journal = takeRest(journal, now());
        showMemo();
        tell();
        await condition(() => said !== heard, Math.max(1, Date.parse(action.until) - Date.now()));
      } else if (action.type === 'park') {
        journal = parkOn(journal, action.command, action.reason, now());
        showMemo();
        tell();
        if (worked) await rest();
        const moved = (): boolean => journal.parked === undefined || journal.endedAt !== undefined;
        const forward = pastUndo(journal) || (journal.parked !== undefined && isDrop(journal.parked.command));
        if (!forward) await condition(moved);
        else if (!(await condition(moved, retryParkedEveryMs))) {
          journal = follow(journal, { say: 'retry', by: 'rotate itself' }, now());
        }
      } else {
        if (worked && action.commands.some((c) => isLong(c, journal))) await rest();
        if (workflowInfo().continueAsNewSuggested) await rest();
        await runAll(action.commands);
      }
    }
    showMemo();
    tell();
    await writeRecord();
    await telling;
    await condition(allHandlersFinished);
    return statusOf(journal);
  });

  async function runAll(commands: readonly Command[]): Promise<void> {
    worked = true;
    // All are registered before the first is tried, so that no effect is unknown to the undo.
    const begun = commands.map((command) => {
      const registered = register(journal, command, now());
      journal = registered.journal;
      return { command, seq: registered.seq };
    });
    // Nothing reaches it from outside (the root is shielded), only what the handlers cancel.
    const scope = new CancellationScope();
    current = scope;
    showMemo();
    tell();
    const outcomes = await scope.run(() =>
      Promise.all(begun.map(({ command, seq }) => runOne(command, seq, scope))),
    );
    current = undefined;
    for (const [i, { command }] of begun.entries()) {
      const outcome = outcomes[i];
      // An abort ended the journal while this ran: nothing is decided any more.
      if (outcome !== undefined && journal.endedAt === undefined) {
        journal = record(journal, command, outcome, now());
      }
    }
  }

  async function runOne(command: Command, seq: number, scope: CancellationScope): Promise<Outcome> {
    const report: HostReport = (host, message, state = 'running') => {
      // What was given up may still speak.
      if (!scope.consideredCancelled && current === scope)
        showHost(journal, stepOf(command), { name: host, state, message }, now());
    };
    try {
      const outcome = await runCommand({ journal, command, seq, report });
      return outcome.ok || !scope.consideredCancelled ? outcome : { ...outcome, cancelled: true };
    } catch (error) {
      const cancelled = scope.consideredCancelled;
      return { ok: false, reason: reasonOf(error), ...askedOf(error), cancelled };
    }
  }

  async function release(): Promise<void> {
    if (journal.claimed === 'none') return;
    const me = workflowInfo().workflowId;
    await Promise.all(
      claimsOf(journal).map(async (id) => {
        try {
          await getExternalWorkflowHandle(id).signal(releaseSignal, me);
        } catch {
          // It is not there (never taken, or released already), which is what is wanted.
        }
      }),
    );
  }

  /** What is over must not be held up by its record; that it is missing is told. */
  async function writeRecord(): Promise<void> {
    try {
      await recording().record({
        status: statusOf(journal),
        by: journal.by,
        ...(journal.why === undefined ? {} : { why: journal.why }),
        commit: journal.repo.commit ?? journal.plan.commit,
        planDigest: journal.digest,
        details: journal.plan.secrets.map((s) => ({
          name: s.name,
          kind: s.kind,
          file: s.file,
          ...(s.account === undefined ? {} : { oldAccount: s.account }),
          ...confirmedOf(journal, s.name),
          fence: formatFence({ epoch: journal.epoch, seq: journal.seq }),
        })),
      });
      journal = { ...journal, recorded: true };
    } catch (error) {
      const { message } = reasonOf(error);
      note(journal, now(), `the record was not written to the log branch: ${message}`);
      log.error('the record of a rotation was not written', { rotation: journal.id, reason: message });
    }
  }

  /** The status for when no worker answers. Only what changes rarely is kept there: each write is an event. */
  function showMemo(): void {
    const memo = memoOf(journal);
    const text = JSON.stringify(memo);
    if (text === lastMemo) return;
    lastMemo = text;
    upsertMemo({ [statusMemo]: memo });
  }

  /** Tells people what is new; that, and whether they can be reached, holds up nothing. */
  function tell(): void {
    const news = newsOf(journal);
    if (news === undefined) return;
    journal = news.journal;
    const { by, why, notices } = journal;
    const notification = notificationOf({
      status: statusOf(journal),
      event: news.event,
      at: now(),
      n: notices,
      by,
      ...(why === undefined ? {} : { why }),
    });
    const started = startNotify(notification).catch((error: unknown) => {
      log.error('people were not told', { rotation: journal.id, reason: reasonOf(error).message });
    });
    telling = Promise.all([telling, started]);
  }

  /** Continues as new with the journal; nothing is under way now. */
  async function rest(): Promise<never> {
    await telling;
    await condition(allHandlersFinished);
    return continueAsNew<typeof rotation>({ journal: forNextRun(journal), nonces });
  }
}

/** Whether it may last much longer than all that came before it. */
function isLong(command: Command, { plan, soak }: Journal): boolean {
  return command.do === 'soak' && soak.rounds === 0 && plan.policy.soakMs > 0;
}

function confirmedOf({ secrets }: Journal, name: string): Pick<SecretJournal, 'confirmed'> {
  const confirmed = secrets.find((s) => s.name === name)?.confirmed;
  return confirmed === undefined ? {} : { confirmed };
}

function begin(input: RotationInput): { journal: Journal; nonces: string[] } {
  if ('journal' in input) return { journal: input.journal, nonces: input.nonces };
  const { workflowId, startTime } = workflowInfo();
  const bad = requestObjection(input.request, workflowId, startTime.toISOString(), []);
  if (bad !== undefined) throw failure(bad);
  const { body } = input.request;
  if (workflowId !== rotationId(body.plan.plan.environment, body.id)) {
    throw ApplicationFailure.nonRetryable('the request was made for another workflow', 'Forged');
  }
  return { journal: startJournal(body, startTime.toISOString()), nonces: [input.request.nonce] };
}
