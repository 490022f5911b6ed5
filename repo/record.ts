/**
 * What the log branch keeps of a rotation for ever: its status as scripts see it,
 * and who asked for it, why, and at which commit. Read by the command line on every
 * start, so the check is by hand and imports nothing heavy.
 */
import { failureClasses } from '../domain/failure.js';
import { isObject } from '../domain/is-object.js';
import type { RotationStatus } from '../domain/status.js';
import { rotationStates, stepNames } from '../domain/steps.js';

export interface RecordedSecret {
  name: string;
  kind: string;
  /** The ciphertext, relative to the root of the repo. */
  file: string;
  /** The account before, where the kind has accounts. */
  oldAccount?: string;
  /** Who said that he has done what only a person can do, by what it was for: `provision`, `destroy`, … */
  confirmed?: Readonly<Partial<Record<string, string>>>;
  /** The highest fence that was used, `epoch.seq`. */
  fence?: string;
}

export interface RotationRecord extends RotationStatus {
  version: 1;
  /** Who asked, as far as it is known: `alice@laptop`, `schedule monthly`. */
  by: string;
  /** What he gave as the reason. */
  why?: string;
  /** The commit that was deployed, or the one that was planned at. */
  commit?: string;
  /** Of the plan, SHA-256 in hex; absent when it was refused before there was one. */
  planDigest?: string;
  details: RecordedSecret[];
}

/**
 * Reads a record's JSON.
 * @returns the record, or a sentence that says what is wrong with it
 */
export function parseRecord(text: string): RotationRecord | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return `no JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
  if (!isObject(value)) return 'no object';
  if (value['version'] !== 1)
    return `version ${JSON.stringify(value['version'])} is not known to this version of rotate`;
  return isRecord(value) ? value : `its ${wrongPart(value) ?? 'content'} is not as it should be`;
}

/** One form for one content, so that the same record is the same file. */
export function formatRecord(record: RotationRecord): string {
  return `${JSON.stringify(sortKeys(record), null, 2)}\n`;
}

function isRecord(value: Record<string, unknown>): value is Record<string, unknown> & RotationRecord {
  return wrongPart(value) === undefined;
}

type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === 'string';
const oneOf =
  (names: readonly string[]): Check =>
  (value) =>
    typeof value === 'string' && names.includes(value);
const maybe =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const shape =
  (checks: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isObject(value) && Object.entries(checks).every(([key, check]) => check(value[key]));

const stepState = oneOf(['pending', 'running', 'done', 'failed', 'undone', 'skipped']);

/** Unknown keys are let through: a later version may add some. */
const parts: Readonly<Record<string, Check>> = {
  id: text,
  environment: text,
  secrets: listOf(text),
  state: oneOf(rotationStates),
  reason: maybe(shape({ type: oneOf(Object.keys(failureClasses)), message: text, hint: maybe(text) })),
  startedAt: text,
  endedAt: maybe(text),
  steps: listOf(
    shape({
      name: oneOf(stepNames),
      state: stepState,
      attempts: (value) => typeof value === 'number',
      startedAt: maybe(text),
      endedAt: maybe(text),
      hosts: listOf(shape({ name: text, state: stepState, message: maybe(text) })),
    }),
  ),
  proof: maybe(
    listOf(
      shape({
        claim: text,
        host: maybe(text),
        endpoint: maybe(text),
        result: oneOf(['passed', 'failed', 'not-proven']),
        at: text,
        evidence: text,
      }),
    ),
  ),
  by: text,
  why: maybe(text),
  commit: maybe(text),
  planDigest: maybe(text),
  details: listOf(
    shape({
      name: text,
      kind: text,
      file: text,
      oldAccount: maybe(text),
      confirmed: maybe((value) => isObject(value) && Object.values(value).every(text)),
      fence: maybe(text),
    }),
  ),
};

function wrongPart(value: Record<string, unknown>): string | undefined {
  return Object.entries(parts).find(([key, check]) => !check(value[key]))?.[0];
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sortKeys(value[key])]),
  );
}
