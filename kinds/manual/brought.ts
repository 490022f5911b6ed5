/** Whether what a person brought can be the new value. No message holds any of it. */
import { runInNewContext } from 'node:vm';
import type { Credential } from '../../domain/credential.js';
import { RotateError } from '../../domain/failure.js';
import type { SecretValue } from '../../domain/secret-value.js';
import type { ManualSettings } from './schema.js';

/** The pattern comes from the repo, which must not be able to keep the worker busy for ever. */
const patternMs = 1_000;

/**
 * @param secret how it is called in messages
 * @throws RotateError Usage
 */
export function takeBrought(
  secret: string,
  settings: ManualSettings,
  current: Credential,
  brought: Credential | undefined,
): Credential {
  if (brought === undefined)
    throw new RotateError('Usage', `${secret}: the new value is one that a person brings`, {
      hint: 'give it to `rotate start` at the prompt, or with `--value-stdin`',
    });
  const problem = problemOf(settings, current, brought.value);
  if (problem !== undefined)
    throw new RotateError('Usage', `${secret}: the value that was brought ${problem.message}`, {
      hint: problem.hint,
    });
  const account = brought.account ?? current.account;
  return { ...(account === undefined ? {} : { account }), value: brought.value };
}

function problemOf(
  settings: ManualSettings,
  current: Credential,
  value: SecretValue,
): { message: string; hint: string } | undefined {
  if (value.length === 0) return { message: 'is empty', hint: 'was the file or the pipe empty?' };
  const bytes = value.bytes();
  const last = bytes.at(-1);
  const hasNul = bytes.includes(0);
  bytes.fill(0);
  if (last === newline || last === carriageReturn)
    return {
      message: 'ends with a line break',
      hint: 'give it without: `printf %s` instead of `echo`, or `tr -d "\\r\\n"`',
    };
  if (hasNul) return { message: 'has a NUL in it', hint: 'text files in UTF-16 look so: give it as UTF-8' };
  if ([current.value, ...(current.previous ?? [])].some((other) => other.equals(value)))
    return {
      message: 'is the one in use, or an older one',
      hint: 'have a new one made by the vendor, and bring that',
    };
  return shapeProblem(settings, textOf(value));
}

const newline = 0x0a;
const carriageReturn = 0x0d;

function shapeProblem(
  { minLength, pattern }: ManualSettings,
  text: string | undefined,
): { message: string; hint: string } | undefined {
  if (minLength === undefined && pattern === undefined) return undefined;
  if (text === undefined)
    return { message: 'is not UTF-8 text', hint: '`minLength` and `pattern` want text' };
  const length = Array.from(text).length;
  if (minLength !== undefined && length < minLength)
    return {
      message: `is too short: it has ${length} characters`,
      hint: `\`minLength\` is ${minLength}; was all of it copied?`,
    };
  if (pattern !== undefined && !matches(pattern, text))
    return {
      message: 'does not match `pattern`',
      hint: 'was all of it copied, and nothing else? if the vendor has a new form, change `pattern`',
    };
  return undefined;
}

function textOf(value: SecretValue): string | undefined {
  try {
    return value.text();
  } catch {
    // Not text: no pattern can match it, and the message says so.
    return undefined;
  }
}

/** @throws RotateError BadConfig when the pattern takes for ever */
function matches(pattern: string, text: string): boolean {
  try {
    const matched: unknown = runInNewContext(
      'new RegExp(source, "u").test(text)',
      { source: `^(?:${pattern})$`, text },
      { timeout: patternMs },
    );
    return matched === true;
  } catch {
    // Its own error may quote what it was given.
    throw new RotateError('BadConfig', 'manual.pattern: it could not be decided whether the value matches', {
      hint: 'a repetition inside of a repetition takes for ever: make it simpler',
    });
  }
}
