/** Answers from the command line. A flag answers the question that has its name, or those whose keys begin with it. */
import { RotateError } from '../../domain/failure.js';
import type { Options } from '../command.js';
import type { AnswerSource, Complaint, Question } from './question.js';

export interface FlagSource extends AnswerSource {
  /** @throws RotateError Usage when a flag has answered nothing */
  requireUsed(): void;
}

/** Flags with one value, which answer the question of that name. */
const single = ['branch', 'flake', 'store', 'secret', 'kind', 'file', 'format', 'template', 'list', 'action'];
/** Flags that are given once for each thing; the questions are numbered. */
const numbered = ['host', 'consumer'];
/** Flags with a name before a `=`: `--host-key web-1=KEY`. */
const named = ['host-key', 'set'];

export function fromFlags(options: Options): FlagSource {
  const answers = new Map<string, string>();
  const environments = options.text('env');
  if (environments !== undefined) answers.set('env', environments);
  for (const flag of single) {
    const text = options.text(flag);
    if (text !== undefined) answers.set(flag, text);
  }
  for (const flag of numbered) {
    const texts = options.list(flag);
    for (const [i, text] of texts.entries()) answers.set(`${flag} ${i}`, text);
    // Who gives some by flags gives all.
    if (texts.length > 0) answers.set(`${flag} ${texts.length}`, '');
  }
  for (const flag of named)
    for (const text of options.list(flag)) {
      const [name, value] = split(text, flag);
      answers.set(`${flag} ${name}`, value);
    }
  // Without a name it is for every environment.
  for (const text of options.list('rules')) {
    const [, name, path = text] = /^([^=/]+)=(.*)$/.exec(text) ?? [];
    answers.set(name === undefined ? 'rules' : `rules ${name}`, path);
  }
  const used = new Set<string>();
  return {
    answer: async ({ key: asked, flag }, complaint) => {
      const key = !answers.has(asked) && asked.startsWith('rules ') ? 'rules' : asked;
      const text = answers.get(key);
      if (text === undefined) return undefined;
      used.add(key);
      if (complaint !== undefined) throw refused(flag, text, complaint);
      return text;
    },
    requireUsed: () => {
      const left = [...answers].find(([key, text]) => !used.has(key) && text !== '');
      if (left === undefined) return;
      const [flag = ''] = left[0].split(' ');
      throw new RotateError('Usage', `\`--${flag} ${left[1]}\` answers nothing that was asked`, {
        hint: 'leave it out; `rotate init --help` says what each is for',
      });
    },
  };
}

/** Names of the settings that `--set` gives. */
export function settingsGiven(options: Options): string[] {
  return options.list('set').map((text) => split(text, 'set')[0]);
}

function split(text: string, flag: string): [string, string] {
  const equals = text.indexOf('=');
  if (equals > 0) return [text.slice(0, equals), text.slice(equals + 1)];
  throw new RotateError('Usage', `\`--${flag} ${text}\` has no name before a \`=\``, {
    hint: `write --${flag} NAME=VALUE`,
  });
}

/** @param flag as questions name it, with capitals in the place of `text` */
function refused(flag: string, text: string, { message, hint }: Complaint): RotateError {
  const typed = `${flag.replace(/ ?[A-Z][A-Z@=/]*$/, (place) => (place.startsWith(' ') ? ' ' : ''))}${text}`;
  return new RotateError('Usage', `\`${typed}\`: ${message}`, hint === undefined ? {} : { hint });
}

/** Where nobody can be asked: what holds anyway, and else an error that names the flag. */
export const noPerson: AnswerSource = {
  answer: async (question, complaint) => {
    if (complaint !== undefined) throw refused(question.flag, question.default ?? '', complaint);
    if (question.default !== undefined) return question.default;
    if (question.optional === true) return '';
    throw missing(question);
  },
};

function missing({ flag, text, suggestion }: Question): RotateError {
  const found = suggestion === undefined ? '' : `; perhaps ${suggestion}`;
  return new RotateError('Usage', `without a terminal to ask on, ${flag} is needed: ${text}`, {
    hint: `give ${flag}${found}`,
  });
}
