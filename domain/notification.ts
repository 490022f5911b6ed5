/**
 * What people and their programs are told of a rotation. Stable JSON, published as
 * schemas/notification.schema.json: within a version keys may be added, and none
 * changes its meaning. It leaves the worker, so it holds no secret, and the messages
 * in it are redacted once more.
 */
import type { Reason } from './failure.js';
import { encodeName, notifyId } from './ids.js';
import { redactText } from './redact-text.js';
import type { RotationStatus } from './status.js';
import type { RotationState } from './steps.js';

/** What happens to a rotation. All but `started` are named as the state that it is in by then. */
export const rotationNotices = [
  'started',
  'waiting',
  'needs-attention',
  'rolled-back',
  'done',
  'refused',
  'failed',
] as const;
export type RotationNotice = (typeof rotationNotices)[number];

/** What a channel can choose from. */
export const channelEvents = [...rotationNotices, 'due-soon', 'schedule'] as const;
export type ChannelEvent = (typeof channelEvents)[number];

/** `test` is what a person sends to see whether a channel works; no channel can be without it. */
export const notificationEvents = [...channelEvents, 'test'] as const;
export type NotificationEvent = (typeof notificationEvents)[number];

export interface NotificationLink {
  title: string;
  url: string;
}

export interface Notification {
  version: 1;
  /** The same for every channel and every attempt to deliver it; no other notification has it. See {@link notificationId}. */
  id: string;
  event: NotificationEvent;
  /** When it happened, RFC 3339 in UTC; not when it was sent. */
  at: string;
  environment: string;
  /** Names, without the environment. */
  secrets: string[];
  /** The rotation's ULID. */
  rotation?: string;
  state?: RotationState;
  reason?: Reason;
  /** Who asked for the rotation, as far as it is known. */
  by?: string;
  /** What he gave as the reason. */
  why?: string;
  /** Hosts that something is wrong with. */
  hosts?: string[];
  /** One line for a person. */
  text: string;
  links?: NotificationLink[];
}

/** UTF-16 units that a message, and the line for a person, may have: some receivers refuse more than 20 KB. */
const maxMessage = 2_000;
const maxText = 1_000;

/**
 * Letters that the id of the workflow that tells may have: Temporal refuses more than 1000, and a server whose
 * database is SQL more than 255. Whoever starts a workflow with a longer one tries that for ever.
 */
const maxWorkflowId = 255;
/** Of the first part of an id that is cut: it says what kind of news it is. */
const maxFirst = 26;

/**
 * The id that the same parts always have; of parts that are too long together (names of many secrets) a hash. The
 * signature joins id, time and body with full stops, so an id has none (Standard Webhooks 1.0.0, signature scheme).
 */
export function notificationId(...parts: [string, ...string[]]): string {
  const encoded = parts.map((part) => encodeName(part).replaceAll('.', '%2E').replaceAll('_', '%5F'));
  const id = encoded.join('_');
  if (notifyId(id).length <= maxWorkflowId) return id;
  const [first = ''] = encoded;
  return `${first.slice(0, maxFirst)}_${hashOf(id)}`;
}

/** FNV-1a of 64 bits: workflows have no crypto, and all that is asked of it is that no two ids meet by chance. */
function hashOf(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text))
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash.toString(16).padStart(16, '0');
}

/** A notification from its facts: texts redacted and cut, lists without what is in them twice or empty left out. */
export function makeNotification(facts: Omit<Notification, 'version'>): Notification {
  const { id, event, at, environment, secrets, rotation, state, reason, by, why, hosts, text, links } = facts;
  return {
    version: 1,
    id,
    event,
    at,
    environment,
    secrets: [...new Set(secrets)],
    ...(rotation === undefined ? {} : { rotation }),
    ...(state === undefined ? {} : { state }),
    ...(reason === undefined ? {} : { reason: clearReason(reason) }),
    ...(by === undefined ? {} : { by: clear(by) }),
    ...(why === undefined ? {} : { why: clear(why) }),
    ...(hosts === undefined || hosts.length === 0 ? {} : { hosts: [...new Set(hosts)] }),
    text: oneLine(text),
    ...(links === undefined || links.length === 0
      ? {}
      : { links: links.map(({ title, url }) => ({ title: oneLine(title), url: redactText(url) })) }),
  };
}

export interface RotationNews {
  status: RotationStatus;
  event: RotationNotice;
  /** RFC 3339 in UTC. */
  at: string;
  /** Rises with each notification of the rotation: it may park, or wait, several times. */
  n: number;
  by?: string;
  why?: string;
  links?: NotificationLink[];
}

/** What is told when `event` happens to a rotation that stands as `status` says. */
export function notificationOf({ status, event, ...news }: RotationNews): Notification {
  const { at, n, by, why, links } = news;
  // A reason that was overcome is not told of what went well.
  const reason = event === 'started' || event === 'done' ? undefined : status.reason;
  const hosts = failedHosts(status);
  return makeNotification({
    id: notificationId(status.id, event, String(n)),
    event,
    at,
    environment: status.environment,
    secrets: status.secrets,
    rotation: status.id,
    state: status.state,
    ...(reason === undefined ? {} : { reason }),
    ...(by === undefined ? {} : { by }),
    ...(why === undefined ? {} : { why }),
    hosts,
    text: textOf(status, event, reason, { by, why }),
    ...(links === undefined ? {} : { links }),
  });
}

/** What a channel is for; absent: everything. */
export interface ChannelFilter {
  events?: readonly ChannelEvent[];
  environments?: readonly string[];
}

/** Whether a channel is told of `event`. A test reaches every channel. */
export function wants(channel: ChannelFilter, event: NotificationEvent, environment: string): boolean {
  if (event === 'test') return true;
  return (
    (channel.events === undefined || channel.events.includes(event)) &&
    (channel.environments === undefined || channel.environments.includes(environment))
  );
}

const verbs: Readonly<Record<RotationNotice, string>> = {
  started: 'has started',
  waiting: 'waits',
  'needs-attention': 'needs attention',
  'rolled-back': 'was rolled back',
  done: 'is done',
  refused: 'was refused',
  failed: 'has failed',
};

/** Secrets that the line for a person names one by one. */
const namedSecrets = 3;

function textOf(
  status: RotationStatus,
  event: RotationNotice,
  reason: Reason | undefined,
  asked: { by: string | undefined; why: string | undefined },
): string {
  const named = status.secrets.slice(0, namedSecrets).map((name) => `${status.environment}/${name}`);
  const more = status.secrets.length - named.length;
  const subject = `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  let text = `${subject}: rotation ${status.id} ${verbs[event]}`;
  if (event === 'started' && asked.by !== undefined) text += `, asked for by ${asked.by}`;
  if (event === 'started' && asked.why !== undefined) text += ` (${asked.why})`;
  if (reason !== undefined) text += `: ${reason.message} (${reason.type})`;
  if (reason?.hint !== undefined) text += `; ${reason.hint}`;
  return text;
}

function failedHosts(status: RotationStatus): string[] {
  return status.steps.flatMap((step) => step.hosts.filter((h) => h.state === 'failed').map((h) => h.name));
}

function clearReason({ type, message, hint }: Reason): Reason {
  return { type, message: clear(message), ...(hint === undefined ? {} : { hint: clear(hint) }) };
}

/** Redacted before it is cut: half a credential looks like none. */
function clear(text: string): string {
  return cut(redactText(text), maxMessage);
}

/** Chats and terminals show it: nothing in it may break the line or turn its direction. */
function oneLine(text: string): string {
  const line = redactText(text).replaceAll(/[\s\p{Cc}\p{Bidi_Control}]+/gu, ' ');
  return cut(redactText(line).trim(), maxText);
}

function cut(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit - 1).toWellFormed()}…`;
}
