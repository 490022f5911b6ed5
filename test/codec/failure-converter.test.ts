import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  TimeoutFailure,
  defaultPayloadConverter,
} from '@temporalio/common';
import { describe, expect, test } from 'vitest';

import { failureConverter, toTemporalFailure } from '../../codec/failure-converter.js';
import { toRotateError } from '../../codec/read-failure.js';
import { RotateError, failureClasses, type FailureType } from '../../domain/failure.js';

const payloads = defaultPayloadConverter;
const there = (error: unknown) => failureConverter.errorToFailure(error, payloads);
const andBack = (error: unknown): Error => failureConverter.failureToError(there(error), payloads);

describe('a RotateError', () => {
  test.each(Object.entries(failureClasses))('of type %s is %s on the wire too', (type, failureClass) => {
    const failure = there(new RotateError(type as FailureType, 'x'));
    expect(failure.applicationFailureInfo).toMatchObject({ type, nonRetryable: failureClass === 'final' });
  });

  test('comes back whole', () => {
    const error = new RotateError('UnitFailed', 'app.service failed', {
      hint: 'see its journal',
      host: 'web-1',
      details: { unit: 'app.service', restarts: 3, lines: ['a', 'b'], stable: false },
    });
    expect(toRotateError(andBack(error))).toMatchObject({
      type: 'UnitFailed',
      message: 'app.service failed',
      hint: 'see its journal',
      host: 'web-1',
      details: { unit: 'app.service', restarts: 3, lines: ['a', 'b'], stable: false },
    });
  });

  test('shows nothing but its type in the clear, and no stack anywhere', () => {
    const failure = there(new RotateError('Busy', 'told', { hint: 'told', cause: new Error('told') }));
    expect(failure).toMatchObject({ message: 'Encoded failure', stackTrace: '' });
    const inTheClear = JSON.stringify({ ...failure, encodedAttributes: null, applicationFailureInfo: null });
    expect(inTheClear).not.toContain('told');
    const all = JSON.stringify(failure, (_, item: unknown) =>
      item instanceof Uint8Array ? Buffer.from(item).toString() : item,
    );
    expect(all).not.toMatch(/\.ts|\.js|\bat /);
  });
});

describe('other errors', () => {
  test.each([new TypeError('x is not a function'), 'a string', { an: 'object' }, undefined])(
    '%s becomes Internal, which is final',
    (error) => {
      const failure = there(error);
      expect(failure.applicationFailureInfo).toMatchObject({ type: 'Internal', nonRetryable: true });
      expect(toRotateError(andBack(error)).type).toBe('Internal');
    },
  );

  test('an ApplicationFailure of workflow code keeps its type, hint and whether it is final', () => {
    const failure = ApplicationFailure.create({
      type: 'HostBusy',
      message: 'm',
      nonRetryable: true,
      details: [{ hint: 'h' }],
    });
    const back = andBack(failure);
    expect(back).toMatchObject({ type: 'HostBusy', nonRetryable: true });
    expect(toRotateError(back).toReason()).toEqual({ type: 'HostBusy', message: 'm', hint: 'h' });
  });

  test('an ApplicationFailure with a type that is not ours becomes Internal', () => {
    expect(andBack(ApplicationFailure.create({ type: 'Surprise', message: 'm' }))).toMatchObject({
      type: 'Internal',
      message: 'm',
    });
  });

  test.each(['CancelledFailure', 'ActivityReset', 'ActivityPause', 'NotFoundError'])(
    'the SDK keeps its own type %s, by which it decides',
    (type) => {
      expect(andBack(ApplicationFailure.create({ type, message: 'm' }))).toMatchObject({ type });
    },
  );

  test("Temporal's own failures stay what they are, with sealed causes", () => {
    const cause = new RotateError('NoSpace', 'disk of web-1 is full');
    const failure = new ActivityFailure(
      'm',
      'copy',
      '7',
      'RETRY_POLICY_NOT_SET',
      'me',
      toTemporalFailure(cause),
    );
    const wire = there(failure);
    expect(wire.cause?.message).toBe('Encoded failure');
    const back = failureConverter.failureToError(wire, payloads);
    expect(back).toBeInstanceOf(ActivityFailure);
    expect(toRotateError(back).toReason()).toEqual({ type: 'NoSpace', message: 'disk of web-1 is full' });
    expect(andBack(new CancelledFailure('c'))).toBeInstanceOf(CancelledFailure);
    expect(toRotateError(new TimeoutFailure('t', undefined, 'HEARTBEAT')).type).toBe('Timeout');
  });

  test('a failure that goes through twice is the same', () => {
    const once = andBack(new RotateError('Drift', 'm', { hint: 'h' }));
    expect(toRotateError(andBack(once)).toReason()).toEqual({ type: 'Drift', message: 'm', hint: 'h' });
  });
});

describe('what does not authenticate', () => {
  test.each([
    ['without details', undefined],
    ['with the details of another type', [{ type: 'Busy', hint: 'h' }]],
    ['with refused details', [{ __rotateRefused: 'unsealed' }]],
  ])('a type of ours %s is not believed', (_, details) => {
    const wire = {
      message: 'm',
      applicationFailureInfo: {
        type: 'Superseded',
        nonRetryable: true,
        details: details === undefined ? null : { payloads: details.map((item) => payloads.toPayload(item)) },
      },
    };
    const error = failureConverter.failureToError(wire, payloads);
    expect(error).toMatchObject({ type: 'Forged', nonRetryable: true });
  });
});

test('what looks like a credential is taken out of messages and hints', () => {
  const error = new RotateError('IssuerAuthFailed', 'psql: postgresql://app:hunter2@db-1/app said no', {
    hint: "PASSWORD 'hunter2'",
  });
  const reason = toRotateError(andBack(error)).toReason();
  expect(reason.message).toBe('psql: postgresql://app:[redacted]@db-1/app said no');
  expect(JSON.stringify(reason)).not.toContain('hunter2');
});
