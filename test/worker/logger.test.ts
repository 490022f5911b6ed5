import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, test } from 'vitest';

import { RotateError } from '../../domain/failure.js';
import { SecretValue } from '../../domain/secret-value.js';
import { logOptions, makeLogger } from '../../worker/logger.js';

function lines(
  log: (logger: ReturnType<typeof makeLogger>) => void,
  format: 'json' | 'text' = 'json',
): string[] {
  const written: string[] = [];
  log(makeLogger({ level: 'INFO', format, write: (line) => void written.push(line) }));
  return written;
}

describe('a log line', () => {
  test('has no credentials of a task, nor the task', () => {
    const [line = ''] = lines((logger) =>
      logger.error('failed', {
        taskToken: 'T0K',
        task: '{"x":"T0K"}',
        taskEncoded: 'T0K',
        deep: { taskToken: 'T0K' },
        attempt: 2,
      }),
    );
    expect(line).not.toContain('T0K');
    expect(JSON.parse(line)).toMatchObject({ level: 'error', message: 'failed', attempt: 2 });
  });

  test('has of an error its type and message, down to the first cause', () => {
    const cause = new RotateError('NoSpace', 'disk full', { hint: 'HINT', details: { fact: 'FACT' } });
    const error = ApplicationFailure.create({
      type: 'CopyFailed',
      message: 'copy',
      details: ['DETAIL'],
      cause,
    });
    const [line = ''] = lines((logger) => logger.warn('Activity failed', { error }));
    expect(JSON.parse(line)).toMatchObject({
      error: { type: 'CopyFailed', message: 'copy', cause: { type: 'NoSpace', message: 'disk full' } },
    });
    expect(line).not.toMatch(/DETAIL|HINT|FACT|\.ts/);
  });

  test('shows no secret value and no bytes', () => {
    const [line = ''] = lines((logger) =>
      logger.info('x', {
        secret: SecretValue.fromText('hunter2'),
        list: [SecretValue.fromText('hunter2')],
        bytes: Buffer.from('hunter2'),
      }),
    );
    expect(JSON.parse(line)).toMatchObject({
      secret: '[redacted]',
      list: ['[redacted]'],
      bytes: '[7 bytes]',
    });
    expect(line).not.toContain('hunter2');
  });

  test('loses what looks like a credential, in the message too', () => {
    const [line = ''] = lines(
      (logger) => logger.info('postgresql://a:hunter2@h', { url: 'redis://u:hunter2@h' }),
      'text',
    );
    expect(line).toContain('postgresql://a:[redacted]@h url=redis://u:[redacted]@h');
  });

  test('stays one line whatever is in it', () => {
    const written = lines((logger) => logger.info('a\nb', { c: 'd\ne' }), 'text');
    expect(written.join('').trimEnd()).not.toContain('\n');
    expect(
      lines((logger) => logger.info('a\nb'))
        .join('')
        .trimEnd(),
    ).not.toContain('\n');
  });

  test('survives what refers to itself', () => {
    const loop: Record<string, unknown> = { name: 'loop' };
    loop['self'] = loop;
    expect(lines((logger) => logger.info('x', { loop })).join('')).toContain('[deep]');
  });

  test('is left out below the level', () => {
    expect(lines((logger) => logger.debug('quiet'))).toEqual([]);
  });
});

describe('logOptions', () => {
  test('reads level and format from the environment', () => {
    expect(logOptions({ ROTATE_LOG_LEVEL: 'debug', ROTATE_LOG_FORMAT: 'json' }, true)).toEqual({
      level: 'DEBUG',
      format: 'json',
    });
    expect(logOptions({}, true)).toEqual({ level: 'INFO', format: 'text' });
    expect(logOptions({}, false)).toEqual({ level: 'INFO', format: 'json' });
  });

  test('refuses what is no level and no format', () => {
    expect(() => logOptions({ ROTATE_LOG_LEVEL: 'loud' })).toThrow(
      'ROTATE_LOG_LEVEL is loud, which is no level',
    );
    expect(() => logOptions({ ROTATE_LOG_FORMAT: 'xml' })).toThrow(
      'ROTATE_LOG_FORMAT is xml, which is no format',
    );
  });
});
