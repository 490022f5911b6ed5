/** Below the hosts: what it waits for, how it ended, what to type. */
import type { RotationStatus } from '../../domain/status.js';
import { isEndState } from '../../domain/steps.js';
import type { Paint } from './style.js';
import { atMost, fold } from './text.js';
import { commands, outcome, waitingWords, withId, type WordsOptions } from './waiting-words.js';
import { displayWidth } from './width.js';

export interface FootOptions extends WordsOptions {
  columns: number;
  paint: Paint;
  /** What concerns the showing itself, e.g. that Temporal does not answer. */
  notice?: string;
  /** The end, and what a person has to do, are told elsewhere. */
  withoutEnd?: boolean;
}

/** The fullest form first. */
export function footForms(status: RotationStatus, options: FootOptions): string[][] {
  const { columns, paint, notice = '', withoutEnd = false } = options;
  const lines = notice === '' ? [] : fold(notice, columns).map((line) => paint('yellow', line));
  for (const text of waitingWords(status, options)) lines.push(...fold(text, columns));
  const over = isEndState(status.state) || status.state === 'needs-attention';
  if (!over || withoutEnd) return [lines];
  return [true, false].map((full) => [...lines, ...endLines(status, columns, paint, full)]);
}

/** Lines of a reason that are left beside what can be typed. */
const terseLines = 2;
const indent = '  ';

function endLines(status: RotationStatus, columns: number, paint: Paint, full: boolean): string[] {
  const reason = fold(outcome(status), columns);
  const { hint: text } = status.reason ?? {};
  const hint = text === undefined ? [] : fold(`hint: ${withId(text, status.id)}`, columns);
  const typed = commands(status, columns - indent.length);
  if (!full) {
    const once = typed.filter(({ word }, i) => typed.findIndex((each) => each.word === word) === i);
    const lines = once.flatMap(({ command }) => fold(command, columns, indent));
    return [...atMost(reason, terseLines), ...lines.map((line) => paint('bold', line)), ...hint];
  }
  if (typed.length === 0) return [...reason, ...hint];
  const also = status.waitingFor?.triesAgain === true ? ' (it also tries again by itself)' : '';
  const widest = Math.max(...typed.map(({ command }) => displayWidth(command)));
  const aligned = typed.every(({ does }) => widest + displayWidth(does) + 2 * indent.length <= columns);
  return [
    ...reason,
    ...hint,
    ...fold(`type one of these${also}:`, columns),
    ...typed.flatMap(({ command, does }) => {
      const width = displayWidth(command);
      const gap = ' '.repeat((aligned ? widest - width : 0) + indent.length);
      if (width + gap.length + displayWidth(does) + indent.length <= columns)
        return [`${indent}${paint('bold', command)}${gap}${does}`];
      const lines = fold(command, columns, indent).map((line) => paint('bold', line));
      return [...lines, ...fold(does, columns, indent + indent)];
    }),
  ];
}
