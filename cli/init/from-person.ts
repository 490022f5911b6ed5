/** Answers from a person at a terminal: a question on stderr, a line of stdin. */
import { RotateError } from '../../domain/failure.js';
import type { Context } from '../context.js';
import { oneLine } from '../render/text.js';
import type { Screen } from '../screen.js';
import type { AnswerSource } from './question.js';

export function fromPerson({ stdin, stderr, signal }: Context, { paintErr }: Screen): AnswerSource {
  const say = (text: string): void => stderr.write(`${text}\n`);
  return {
    answer: async ({ text, flag, about = [], optional, quiet, ...question }, complaint) => {
      const offer = question.suggestion ?? question.default;
      if (quiet === true && complaint === undefined) return question.default ?? '';
      if (complaint === undefined) for (const line of about) say(paintErr('dim', `  ${oneLine(line)}`));
      else {
        say(`  ${paintErr('red', oneLine(complaint.message))}`);
        if (complaint.hint !== undefined) say(`  ${paintErr('dim', 'hint:')} ${oneLine(complaint.hint)}`);
      }
      stderr.write(`${paintErr('bold', oneLine(text))}${sayOffer(offer, optional === true)}: `);
      const line = await stdin.readLine(signal);
      if (line === undefined) {
        say('');
        throw new RotateError('Usage', `the input ended before it was said: ${text}`, {
          hint: `answer it, or give ${flag}`,
        });
      }
      const answer = line.trim();
      if (answer === '') return offer ?? '';
      return answer === none && optional === true ? '' : answer;
    },
  };
}

/** Says no to what is offered. */
const none = '-';

function sayOffer(offer: string | undefined, optional: boolean): string {
  if (offer === undefined || offer === '') return optional ? ' (empty: none)' : '';
  // A line break in it is shown as it can be typed.
  const shown = oneLine(offer.replaceAll('\n', '\\n'));
  return ` [${shown}]${optional ? ` (${none}: none)` : ''}`;
}
