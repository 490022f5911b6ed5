/**
 * Names and shapes of what can be said to the workflows. Plain constants, so that
 * a client can use them without loading the workflow library.
 */
import type { Reason } from '../domain/failure.js';
import type { Journal } from '../domain/journal.js';
import type { Notification } from '../domain/notification.js';
import type { PersonRequest } from '../domain/say.js';
import type { ScheduleSpec } from '../domain/schedule.js';
import type { Request } from '../domain/request.js';
import type { StartRequest } from '../domain/start.js';
import type { HostStatus, RotationEvent, RotationStatus } from '../domain/status.js';
import type { RotationState, StepName } from '../domain/steps.js';

export const workflowTypes = {
  rotation: 'rotation',
  wave: 'wave',
  claim: 'claim',
  inspectPlan: 'inspectPlan',
  inspectPlans: 'inspectPlans',
  inspectFleet: 'inspectFleet',
  ping: 'ping',
  notify: 'notify',
  sequence: 'sequence',
  due: 'due',
  ages: 'ages',
} as const;

export const taskQueue = 'rotate';

/** Query: the status now. */
export const statusQuery = 'status';
export type StatusAnswer = RotationStatus;

/** Query, with the number of the last event seen: the status, and what came after it. */
export const eventsQuery = 'events';
export interface EventsAnswer {
  status: RotationStatus;
  events: RotationEvent[];
}

/** Update: what a person says; answered with the status after it. */
export const sayUpdate = 'say';
export type SayRequest = Request<PersonRequest>;

/** Signal from a wave to its rotation. */
export const progressSignal = 'progress';
export interface WaveProgress {
  step: StepName;
  host: HostStatus;
}

export interface NotifyInput {
  notification: Notification;
  /** Each channel is tried once only. */
  once?: boolean;
}
/** Channels, by what became of them. */
export interface NotifyResult {
  delivered: string[];
  failed: { channel: string; reason: Reason }[];
}

/** Rotations that are carried out one after the other. */
export type SequenceRequest = Request<{ rotations: StartRequest[] }>;
/** Query on a sequence: its parts as they stand. */
export const sequenceQuery = 'parts';
export interface SequencePart {
  /** The rotation's ULID. */
  id: string;
  secrets: string[];
  /** How it ended, or that it is parked; absent: not started, as one before it did not succeed, or as nothing might start any more. */
  state?: RotationState;
}

/** What a Schedule of Temporal hands to each look. `since`: when it was made, RFC 3339. */
export interface DueInput {
  environment: string;
  schedule: string;
  since?: string;
  /** As it was declared when it was applied, for telling what has changed since. The look itself reads main. */
  declared?: ScheduleSpec;
}
/** Query on a look: its result so far. */
export const dueQuery = 'result';
export interface DueResult {
  /** When it looked, RFC 3339. */
  at: string;
  outcome:
    | 'looking'
    | 'failed'
    | 'undeclared'
    | 'nothing-due'
    | 'frozen'
    | 'outside-window'
    | 'nothing-started'
    | 'started';
  started: SequencePart[];
  /** Sentences for a person: what is due and was not started, and why. */
  told: string[];
  /** When something will be started next, as far as can be known. */
  next?: string;
}
export interface AgesInput {
  environment: string;
}

/** Query on a claim: the workflow id of its holder. */
export const holderQuery = 'holder';
/** Signal to a claim, with the holder's workflow id. */
export const releaseSignal = 'release';

/** Key of the memo that answers when no worker does. */
export const statusMemo = 'status';

/** Stands in the clear on the server; tells no more than the workflow's id does. */
export const searchAttributes = { environment: 'rotateEnvironment' } as const;

/** A rotation begins with a request, and continues as new with its journal. */
export type RotationInput = { request: Request<StartRequest> } | { journal: Journal; nonces: string[] };
