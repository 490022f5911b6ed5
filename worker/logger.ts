/** The worker's log: redacted, on stderr, as text for people or as JSON lines. */
import type { LogLevel, LogMetadata, Logger } from '@temporalio/common';

import { RotateError } from '../domain/failure.js';
import { isObject } from '../domain/is-object.js';
import { redactText } from '../domain/redact-text.js';
import { redactForLog } from './redaction.js';

const levels = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR'] as const satisfies readonly LogLevel[];

export interface LogOptions {
  level: LogLevel;
  format: 'text' | 'json';
  /** Default: stderr. */
  write?: (line: string) => void;
}

/**
 * $ROTATE_LOG_LEVEL (trace, debug, info, warn, error) and $ROTATE_LOG_FORMAT (text, json; default: text on a
 * terminal, else json).
 * @throws RotateError BadConfig
 */
export function logOptions(
  env: NodeJS.ProcessEnv = process.env,
  terminal = process.stderr.isTTY,
): LogOptions {
  const wanted = (env['ROTATE_LOG_LEVEL'] ?? 'info').toUpperCase();
  const level = levels.find((name) => name === wanted);
  if (level === undefined)
    throw new RotateError('BadConfig', `ROTATE_LOG_LEVEL is ${wanted.toLowerCase()}, which is no level`, {
      hint: 'one of trace, debug, info, warn, error',
    });
  const format = env['ROTATE_LOG_FORMAT'] ?? (terminal ? 'text' : 'json');
  if (format !== 'text' && format !== 'json')
    throw new RotateError('BadConfig', `ROTATE_LOG_FORMAT is ${format}, which is no format`, {
      hint: 'text or json',
    });
  return { level, format };
}

/** A logger for the SDK's runtime and for our own use. */
export function makeLogger(options: LogOptions): Logger {
  const write = options.write ?? ((line: string) => void process.stderr.write(line));
  const lowest = levels.indexOf(options.level);
  const log = (level: LogLevel, message: string, meta?: LogMetadata): void => {
    if (levels.indexOf(level) < lowest) return;
    write(`${formatLine(options.format, level, message, meta)}\n`);
  };
  return {
    log,
    trace: (message, meta) => log('TRACE', message, meta),
    debug: (message, meta) => log('DEBUG', message, meta),
    info: (message, meta) => log('INFO', message, meta),
    warn: (message, meta) => log('WARN', message, meta),
    error: (message, meta) => log('ERROR', message, meta),
  };
}

function formatLine(
  format: LogOptions['format'],
  level: LogLevel,
  message: string,
  meta: LogMetadata | undefined,
): string {
  const at = new Date().toISOString();
  const told = redactText(message);
  const facts = redactForLog(meta ?? {});
  if (format === 'json')
    return JSON.stringify({
      at,
      level: level.toLowerCase(),
      message: told,
      ...(isObject(facts) ? facts : {}),
    });
  const pairs = isObject(facts)
    ? Object.entries(facts)
        .filter(([, value]) => value !== undefined && value !== '')
        .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    : [];
  return [at, level.padEnd(5), told, ...pairs].join(' ').replaceAll('\n', '\\n');
}
