/**
 * A question of `rotate init`, and where its answer comes from: flags, or a person at a terminal. What finds answers
 * elsewhere (in the flake, say) is one source more, and the questions stay as they are.
 */

export interface Question {
  /** By it sources know the question: `rules prod`, `host 2`, `set roles`. */
  key: string;
  /** What answers it on the command line: `--rules PATH`. */
  flag: string;
  /** As it is asked, lowercase. */
  text: string;
  /** What helps to answer, shown above it. */
  about?: readonly string[];
  /** Holds where nobody says otherwise. */
  default?: string;
  /** Was found or guessed: only a person can take it. */
  suggestion?: string;
  /** The empty text is an answer too. */
  optional?: true;
  /** A person is not bothered with it; it takes its default, or none. */
  quiet?: true;
}

/** What is wrong with an answer. */
export interface Complaint {
  message: string;
  hint?: string;
}

export interface AnswerSource {
  /**
   * The answer as text, or undefined: this source has none.
   * @param complaint what was wrong with the last one
   * @throws RotateError Usage when there cannot be a better one; Interrupted
   */
  answer(question: Question, complaint?: Complaint): Promise<string | undefined>;
}

/** What an answer means. */
export type Reading<T> = { value: T } | { complaint: Complaint };

/**
 * Asks until there is an answer that `read` takes.
 * @param complaint what is wrong with an answer that was taken before
 */
export async function ask<T>(
  source: AnswerSource,
  question: Question,
  read: (text: string) => Reading<T> | Promise<Reading<T>>,
  complaint?: Complaint,
): Promise<T> {
  let wrong = complaint;
  for (;;) {
    const text = await source.answer(question, wrong);
    const reading =
      text === undefined || (text === '' && question.optional !== true)
        ? { complaint: { message: 'an answer is needed' } }
        : await read(text);
    if ('value' in reading) return reading.value;
    wrong = reading.complaint;
  }
}

/** The first of `sources` that has an answer gives it. */
export function firstOf(...sources: readonly AnswerSource[]): AnswerSource {
  return {
    answer: async (question, complaint) => {
      for (const source of sources) {
        const text = await source.answer(question, complaint);
        if (text !== undefined) return text;
      }
      return undefined;
    },
  };
}

/** `a, b` and `a b` as a list, each once. */
export function listOf(text: string): string[] {
  return [...new Set(text.split(/[\s,]+/).filter((part) => part !== ''))];
}
