/**
 * How failures travel and are stored.
 *
 * Temporal keeps a failure's type and whether it may be tried again in the clear; the
 * message, hint and details are ours to seal (`encodeCommonAttributes`, then the codec).
 * No stack trace is stored: its paths say how the worker is built, and help nobody.
 *
 * The worker, the client and the workflow bundle all load this file (the bundle by
 * `failureConverterPath`, else a workflow's own errors are stored in the clear and
 * nothing warns). In the sandbox `instanceof` fails on our errors, so they are known by
 * their name and type.
 */
import {
  ApplicationFailure,
  DefaultFailureConverter,
  TemporalFailure,
  type PayloadConverter,
  type ProtoFailure,
  type SerializationContext,
} from '@temporalio/common';

import { failureClasses, isFailureType, type FailureType, type RotateError } from '../domain/failure.js';
import { redactText } from '../domain/redact-text.js';

/** The one entry of an ApplicationFailure's details. Sealed, so its `type` proves the one in the clear. */
export interface FailureDetails {
  type: FailureType;
  hint?: string;
  host?: string;
  details?: NonNullable<RotateError['details']>;
}

/** Types that the SDK itself gives to failures, and decides by. */
const sdkTypes: readonly string[] = ['CancelledFailure', 'ActivityReset', 'ActivityPause', 'NotFoundError'];

/** An own error as seen across the sandbox's border. */
function isRotateError(error: unknown): error is RotateError {
  return (
    error instanceof Error && error.name === 'RotateError' && 'type' in error && isFailureType(error.type)
  );
}

/**
 * The failure that `error` becomes on the wire: a RotateError keeps its type, message, hint, host and details and
 * is final or not by its class; any other error becomes `Internal`. Failures of Temporal stay as they are.
 */
export function toTemporalFailure(error: unknown): TemporalFailure {
  if (error instanceof ApplicationFailure) return withDetails(error);
  if (error instanceof TemporalFailure) return error;
  if (isRotateError(error))
    return ApplicationFailure.create({
      type: error.type,
      message: redactText(error.message),
      nonRetryable: failureClasses[error.type] === 'final',
      details: [detailsOf(error.type, error)],
    });
  const message =
    error instanceof Error ? `${error.name}: ${error.message}` : 'a value that is no error was thrown';
  return ApplicationFailure.create({
    type: 'Internal' satisfies FailureType,
    message: redactText(message),
    nonRetryable: true,
    details: [detailsOf('Internal', {})],
  });
}

function detailsOf(type: FailureType, error: Partial<RotateError>): FailureDetails {
  return {
    type,
    ...(error.hint === undefined ? {} : { hint: redactText(error.hint) }),
    ...(error.host === undefined ? {} : { host: error.host }),
    ...(error.details === undefined ? {} : { details: error.details }),
  };
}

/** `failure`, made by our code or by the SDK from an error of ours, with a type of ours and the details that prove it. */
function withDetails(failure: ApplicationFailure): ApplicationFailure {
  // What came over the wire goes on as it came.
  if (failure.failure !== undefined || readDetails(failure) !== undefined) return failure;
  if (typeof failure.type === 'string' && sdkTypes.includes(failure.type)) return failure;
  const known = isFailureType(failure.type);
  const type = known ? failure.type : 'Internal';
  return ApplicationFailure.create({
    type,
    message: redactText(failure.message),
    nonRetryable: known ? (failure.nonRetryable ?? false) : true,
    details: [detailsOf(type, hintIn(failure.details))],
    ...(failure.cause === undefined ? {} : { cause: failure.cause }),
    ...(failure.nextRetryDelay == null ? {} : { nextRetryDelay: failure.nextRetryDelay }),
    ...(failure.category == null ? {} : { category: failure.category }),
  });
}

function hintIn(details: readonly unknown[] | null | undefined): Partial<RotateError> {
  const first = details?.[0];
  if (typeof first !== 'object' || first === null || !('hint' in first)) return {};
  return typeof first.hint === 'string' ? { hint: first.hint } : {};
}

/** The details that this converter wrote, if they agree with the type that stands in the clear. */
export function readDetails(failure: ApplicationFailure): FailureDetails | undefined {
  const first: unknown = failure.details?.[0];
  if (typeof first !== 'object' || first === null || !('type' in first)) return undefined;
  const { type } = first;
  if (!isFailureType(type) || type !== failure.type) return undefined;
  const hint = 'hint' in first && typeof first.hint === 'string' ? { hint: first.hint } : {};
  const host = 'host' in first && typeof first.host === 'string' ? { host: first.host } : {};
  const details = 'details' in first && isFacts(first.details) ? { details: first.details } : {};
  return { type, ...hint, ...host, ...details };
}

function isFacts(value: unknown): value is NonNullable<RotateError['details']> {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every(
      (fact: unknown) =>
        ['string', 'number', 'boolean'].includes(typeof fact) ||
        (Array.isArray(fact) && fact.every((item) => typeof item === 'string')),
    )
  );
}

class RotateFailureConverter extends DefaultFailureConverter {
  constructor() {
    super({ encodeCommonAttributes: true });
  }

  /** Called for each cause too (by the inherited code), so none escapes. */
  override errorToFailure(
    error: unknown,
    payloads: PayloadConverter,
    context?: SerializationContext,
  ): ProtoFailure {
    const failure = this.errorToFailureInner(toTemporalFailure(error), payloads, context);
    const message = redactText(failure.message ?? '');
    return {
      ...failure,
      message: 'Encoded failure',
      stackTrace: '',
      encodedAttributes: payloads.toPayload({ message, stack_trace: '' }, context),
    };
  }

  /**
   * A failure with a type of ours whose sealed details do not say the same did not come from our code: it becomes
   * `Forged`, so that no decision is taken on its word.
   */
  override failureToErrorInner(
    failure: ProtoFailure,
    payloads: PayloadConverter,
    context?: SerializationContext,
  ): Error {
    const error = super.failureToErrorInner(failure, payloads, context);
    if (!(error instanceof ApplicationFailure) || !isFailureType(error.type)) return error;
    if (readDetails(error) !== undefined) return error;
    return ApplicationFailure.create({
      type: 'Forged' satisfies FailureType,
      message: 'a failure does not authenticate and its reason was not believed',
      nonRetryable: true,
    });
  }
}

export const failureConverter = new RotateFailureConverter();
