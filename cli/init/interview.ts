/** The questions of `rotate init`, in order. */
import { askEnvironments, askRepo } from './ask-environments.js';
import { askHosts } from './ask-hosts.js';
import { askSecret } from './ask-secret.js';
import { emptyDraft, requireSound, type Draft } from './draft.js';
import type { AnswerSource } from './question.js';
import type { FirstSecret, Interview } from './state.js';
import type { Surroundings } from './surroundings.js';

export interface Interviewed {
  draft: Draft;
  secret: FirstSecret;
  keyOrigins: ReadonlyMap<string, string>;
  notes: readonly string[];
}

/**
 * @param settings names of settings of the kind for which `source` has an answer, whether they are asked for or not
 * @throws RotateError Usage, BadConfig, Interrupted
 */
export async function interview(
  source: AnswerSource,
  surroundings: Surroundings,
  settings: readonly string[],
): Promise<Interviewed> {
  const state: Interview = {
    source,
    surroundings,
    draft: emptyDraft,
    environments: [],
    keyOrigins: new Map(),
    notes: [],
  };
  await askRepo(state);
  await askEnvironments(state);
  await askHosts(state);
  const secret = await askSecret(state, settings);
  requireSound(state.draft);
  return { draft: state.draft, secret, keyOrigins: state.keyOrigins, notes: state.notes };
}
