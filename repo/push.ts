/** One atomic push of several refs, and what the remote's answer to it meant. */
import { RotateError } from '../domain/failure.js';
import type { Clone } from './clone.js';
import { gitFailure } from './git-failure.js';
import { redactUrls, tellOutput } from './redact.js';

export interface RefUpdate {
  /** Full name. */
  ref: string;
  /** The commit that it is to stand at; undefined deletes it. */
  to: string | undefined;
  /**
   * Where it has to stand now for the push to be taken (undefined in it: nowhere); then it may also go
   * backward. Without a lease it only goes forward.
   */
  lease?: { at: string | undefined };
}

/** Answers that say that someone else was quicker. */
const lost =
  /fetch first|non-fast-forward|stale info|failed to update ref|cannot lock ref|already exists|incorrect old value|unable to create|reference (missing|broken)/i;
/** The answer for a ref that would have been taken but for another. */
const bystander = /atomic (push|transaction) fail/i;
const noAnswer = /failed to report status/i;
const expected = [lost, bystander, noAnswer];

/**
 * Pushes all of `updates` or none.
 * @returns `lost` with the remote's words when a ref stood elsewhere than the clone believed
 * @throws RotateError GitRefused when the remote's own rules decline; GitUnreachable (the push may have
 *   been taken), GitAuthFailed, GitConflict
 */
export async function pushRefs(
  clone: Clone,
  updates: readonly RefUpdate[],
  signal?: AbortSignal,
): Promise<{ result: 'pushed' } | { result: 'lost'; why: string }> {
  const leases = updates.flatMap(({ ref, lease }) =>
    lease === undefined ? [] : [`--force-with-lease=${ref}:${lease.at ?? ''}`],
  );
  const specs = updates.map(({ ref, to }) => `${to ?? ''}:${ref}`);
  const { code, stdout, stderr } = await clone.exclusive(
    () =>
      clone.git({
        args: ['push', '--porcelain', '--atomic', '--no-verify', ...leases, 'origin', ...specs],
        accept: [0, 1],
        network: true,
        timeoutMs: clone.networkTimeoutMs,
        ...(signal === undefined ? {} : { signal }),
      }),
    signal,
  );
  if (code === 0) return { result: 'pushed' };
  const rejected = parseRejections(stdout.toString('utf8'));
  if (rejected.length === 0) throw gitFailure('git push', code, stderr);
  const words = remoteWords(stderr);
  const why = tellOutput([...rejected.map((each) => `${each.ref} ${each.why}`), words].join('\n'));
  const refused = rejected.filter((each) => !expected.some((pattern) => pattern.test(each.why)));
  if (refused.length > 0) throw refusal(clone, refused, words);
  if (rejected.some((each) => noAnswer.test(each.why)))
    throw new RotateError('GitUnreachable', `git push to ${redactUrls(clone.remote)} got no answer: ${why}`, {
      hint: 'the push may have been taken or not; it is looked at and tried again',
    });
  // of a transaction that failed as a whole, only the words tell the cause
  const whole = rejected.every((each) => bystander.test(each.why));
  if (whole && /hook|denied|prohibited/i.test(words)) throw refusal(clone, rejected, words);
  return { result: 'lost', why };
}

interface Rejection {
  ref: string;
  why: string;
}

/** Lines of `git push --porcelain` that begin with `!`. */
function parseRejections(text: string): Rejection[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('!\t'))
    .map((line) => {
      const [, refs = '', why = ''] = line.split('\t');
      return { ref: refs.slice(refs.lastIndexOf(':') + 1), why };
    });
}

function refusal(clone: Clone, refused: readonly Rejection[], said: string): RotateError {
  const names = refused.map(({ ref }) => ref);
  const outside = names.filter((ref) => !ref.startsWith('refs/heads/'));
  const reasons = [...new Set(refused.map(({ why }) => why))].join(', ');
  const words = tellOutput(said);
  return new RotateError(
    'GitRefused',
    `${redactUrls(clone.remote)} refuses ${names.join(', ')}: ${reasons}${words === '' ? '' : ` (${words})`}`,
    {
      hint:
        outside.length > 0
          ? 'rotate keeps its claims in refs/rotate/*: allow this user to push refs there (some forges and hooks take only refs/heads and refs/tags)'
          : 'the remote protects this branch: allow this user to push to it',
      details: { refs: names },
    },
  );
}

/** What a hook or the server said for a person. */
function remoteWords(stderr: string): string {
  return stderr
    .split('\n')
    .filter((line) => line.startsWith('remote: '))
    .join('\n');
}
