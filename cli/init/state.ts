/** The state of `rotate init` while it asks; each answer is judged as part of the file that comes about. */
import { mistakeAt, textIn, withValue, type Draft } from './draft.js';
import { ask, type AnswerSource, type Complaint, type Question, type Reading } from './question.js';
import type { Surroundings } from './surroundings.js';

/** What is being made, and with what. */
export interface Interview {
  source: AnswerSource;
  /** What the repo and the person's known_hosts say. */
  surroundings: Surroundings;
  draft: Draft;
  /** The draft as answers are judged in it, where what is asked for later would have to be there already. */
  view?: (draft: Draft) => Draft;
  environments: readonly string[];
  /** Where host keys were found, by host. */
  keyOrigins: Map<string, string>;
  /** What the person has to see to, as sentences. */
  notes: string[];
}

/** The secret that was described. */
export interface FirstSecret {
  environment: string;
  name: string;
}

/**
 * Asks for what stands at `path` and puts it there. An empty answer to an optional question puts nothing.
 * @param parse the value that a text means, or what is wrong with it; default: the text
 * @param complaint what is wrong with an answer that was taken before
 */
export async function settle(
  state: Interview,
  question: Question,
  path: readonly string[],
  parse: (text: string) => Reading<unknown> = (text) => ({ value: text }),
  complaint?: Complaint,
): Promise<void> {
  const read = (text: string): Reading<Draft> => {
    if (text === '') return { value: state.draft };
    const parsed = parse(text);
    if ('complaint' in parsed) return parsed;
    const draft = withValue(state.draft, path, parsed.value);
    const reading = judged(state.view?.(draft) ?? draft, path, 'under');
    return 'complaint' in reading ? reading : { value: draft };
  };
  state.draft = await ask(state.source, question, read, complaint);
}

/** `draft`, unless its reader complains about `path`. */
export function judged(draft: Draft, path: readonly string[], scope: 'at' | 'under'): Reading<Draft> {
  const complaint = mistakeAt(draft, path, scope);
  return complaint === undefined ? { value: draft } : { complaint };
}

/** Path of an environment's rules; the empty text before it was asked for. */
export function rulesOf(draft: Draft, environment: string): string {
  return textIn(draft, ['environments', environment, 'rules']);
}
