/**
 * What a failed git meant: the words that git, ssh and curl use (LC_ALL=C) are
 * turned into failure types, so that what goes away by itself is tried again and
 * what needs a person is not.
 */
import { RotateError, type FailureType } from '../domain/failure.js';
import { tellOutput } from './redact.js';

interface Rule {
  type: FailureType;
  pattern: RegExp;
  hint: string;
}

/** In order: ssh says "Could not read from remote repository" after each of its own failures. */
const rules: readonly Rule[] = [
  {
    type: 'GitAuthFailed',
    pattern: /host key verification failed|remote host identification has changed/i,
    hint: "check the forge's host key and put it into the known_hosts file that the worker uses",
  },
  {
    type: 'GitAuthFailed',
    pattern:
      /permission denied \(|permission to .* denied|authentication failed|could not read (username|password)|terminal prompts disabled|returned error: 40[13]|too many authentication failures|repository not found|not allowed to (push|upload) code|access denied|\/' not found/i,
    hint: 'check that the key or the credential helper of this user may read and write the repository',
  },
  {
    type: 'GitFailed',
    pattern: /dubious ownership/i,
    hint: 'give the repository to this user, or name it in safe.directory of his git configuration',
  },
  {
    type: 'GitFailed',
    pattern: /failed to sign|(public|private|signing) ?key|failed to write commit object/i,
    hint: 'git is configured to sign commits (commit.gpgSign): this user needs the key, usable without a question',
  },
  {
    type: 'GitRefused',
    pattern: /does not support --atomic/i,
    hint: 'the remote must take atomic pushes: use ssh or smart HTTP, and a git server of this decade',
  },
  {
    type: 'NoSpace',
    pattern: /no space left on device|disk quota exceeded/i,
    hint: 'free space where the clone lives, or at the remote',
  },
  {
    type: 'GitConflict',
    pattern:
      /unable to create '[^']*\.lock'|cannot lock ref|non-fast-forward|fetch first|stale info|failed to update ref|reference already exists|incorrect old value/i,
    hint: 'another git is at work on the same refs, or one was killed; it is tried again',
  },
  {
    type: 'GitUnreachable',
    pattern:
      /could not resolve host|connection (refused|timed out|reset|closed)|network is unreachable|no route to host|operation timed out|timed out|kex_exchange_identification|early eof|unexpected disconnect|hung up unexpectedly|rpc failed|returned error: (5\d\d|429)|failed to connect|couldn't connect|operation too slow|ssl_|gnutls|could not read from remote repository|does not appear to be a git repository|unable to access/i,
    hint: 'check the network and the address of the repository',
  },
];

/** Damage that only a new clone repairs. */
const broken =
  /object file .* is empty|bad object|missing (blob|tree|commit|object)|loose object .* is corrupt|invalid sha1 pointer|unable to read (sha1|tree|object)|unable to find [0-9a-f]{40}|packfile .* (cannot be accessed|is far too short)|not a git repository: |file .*\.pack (is|does)|inflate: data stream error|did not send all necessary objects|bad config line|unable to unpack|index file .* is too small|index file corrupt/i;

/** Whether a failure says that the clone itself is damaged (see {@link gitFailure}). */
export function saysBrokenClone(error: unknown): boolean {
  return error instanceof RotateError && error.details?.['brokenClone'] === true;
}

/**
 * The error for a git that ended with `code`.
 * @param what e.g. `git fetch`
 */
export function gitFailure(what: string, code: number, stderr: string): RotateError {
  const told = tellOutput(withoutAdvice(stderr));
  const message = `${what} failed: ${told === '' ? `exit code ${code}` : told}`;
  if (broken.test(stderr))
    return new RotateError('GitFailed', message, {
      hint: 'the clone is damaged and is made again when it is next opened',
      details: { brokenClone: true },
    });
  const rule = rules.find(({ pattern }) => pattern.test(stderr));
  return rule === undefined
    ? new RotateError('GitFailed', message)
    : new RotateError(rule.type, message, { hint: rule.hint });
}

/** What git adds to every trouble with a remote, where it has said more. */
function withoutAdvice(stderr: string): string {
  const rest = stderr.replace(
    /^fatal: Could not read from remote repository\.\s*(?:Please make sure you have the correct access rights\s*and the repository exists\.)?/m,
    '',
  );
  return rest.trim() === '' ? stderr : rest;
}
