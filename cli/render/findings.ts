/** Findings as a person reads them: what is wrong stands out, with its hint below it. */
import type { DoctorFinding } from '../../domain/doctor.js';
import type { Paint, Style } from './style.js';
import { count, oneLine, pad, wrap } from './text.js';

const words: Readonly<Record<DoctorFinding['result'], readonly [string, Style]>> = {
  ok: ['ok', 'green'],
  warning: ['warning', 'yellow'],
  failed: ['failed', 'red'],
};

export function findingsText(
  findings: readonly DoctorFinding[],
  columns: number | undefined,
  paint: Paint,
): string {
  const width = columns ?? 120;
  const lines = findings.flatMap((finding) => {
    const [word, style] = words[finding.result];
    const indent = ' '.repeat(9);
    const text = oneLine(`${finding.subject}: ${finding.check}: ${finding.message}`);
    const [first = '', ...more] = wrap(text, width, indent);
    const hint = finding.hint === undefined ? [] : wrap(`hint: ${oneLine(finding.hint)}`, width, indent);
    return [paint(style, pad(word, 9)) + first.slice(9), ...more, ...hint];
  });
  const bad = findings.filter(({ result }) => result === 'failed').length;
  const doubtful = findings.filter(({ result }) => result === 'warning').length;
  lines.push(
    `${count(findings.length, 'check')}: ${bad === 0 ? 'none failed' : `${bad} failed`}${doubtful === 0 ? '' : `, ${count(doubtful, 'warning')}`}`,
  );
  return lines.map((line) => `${line}\n`).join('');
}
