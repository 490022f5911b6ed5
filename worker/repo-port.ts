/** The repo's side of the activities, over the worker's own clone. */
import type { EffectInRepo, RepoPort } from '../activities/ports.js';
import { resolveSecret } from '../config/resolve-names.js';
import { noFence } from '../domain/fence.js';
import { readClaims } from '../repo/claims.js';
import type { Clone } from '../repo/clone.js';
import { commitFiles, rotationMessage, undoMessage, type Signature } from '../repo/commit.js';
import { writeRecord } from '../repo/log-branch.js';
import { readHistory } from '../repo/log-reader.js';
import { merge } from '../repo/merge.js';
import { deleteBranch, publishClaims, pushBranch, type Effect } from '../repo/publish.js';
import { revertOnMain } from '../repo/revert.js';
import type { Snapshots } from './snapshots.js';

/** Author of the commits; `user.name` and `user.email` of git's configuration are a person's. */
const author = { name: 'rotate', email: 'rotate@localhost' };

/** @param main the main branch, when the worker's configuration of the repo is not known yet */
export function makeRepoPort(clone: Clone, snapshots: Snapshots): RepoPort {
  return {
    fetch: (signal) => clone.fetch(signal),
    tip: (branch) => clone.tip(branch),
    mainBranch: () => mainBranch(clone, snapshots),
    async describeCommits(from, to) {
      const commits = await clone.log(from, to, 20);
      return commits.map((c) => `${c.sha.slice(0, 12)} ${c.subject} (${c.author})`);
    },
    async ancestors(commit, limit) {
      const all = await clone.git({
        args: ['rev-list', '--first-parent', `--max-count=${limit + 1}`, commit, '--'],
      });
      return all.stdout
        .toString('utf8')
        .split('\n')
        .filter((sha) => sha !== '' && sha !== commit);
    },
    at: (commit, signal) => snapshots.at(commit, signal),
    resolveSecret,
    async fences(secrets, signal) {
      const claims = await readClaims(clone, secrets, signal);
      return claims.length === 0 ? [noFence] : claims.map((c) => c.fence);
    },
    reserve: (request) => publishClaims(clone, toEffect(request)),
    commitTrial: (base, files, signal) =>
      commitFiles(clone, {
        base,
        files,
        message: 'rotate: rehearsal, never pushed\n',
        author: signature(new Date(0)),
        trial: true,
        signal,
      }),

    async publish(request) {
      const effect = toEffect(request);
      const commit = await commitFiles(clone, {
        base: request.base,
        files: request.files,
        message: rotationMessage(
          request.rotationId,
          request.claims.map((c) => c.secret),
          request.planDigest,
        ),
        author: effect.author,
        signal: request.signal,
      });
      return (await pushBranch(clone, { ...effect, commit })).commit;
    },

    async merge(request) {
      const merged = await merge(clone, {
        ...toEffect(request),
        main: request.main,
        base: request.base,
        files: request.files,
        branchCommit: request.branchCommit,
        rules: [],
        sameRules: request.sameRules,
        message: rotationMessage(
          request.rotationId,
          request.claims.map((c) => c.secret),
          request.planDigest,
        ),
      });
      return 'commit' in merged ? { merged: merged.commit } : { changed: merged.tip };
    },

    async revert(request) {
      const reverted = await revertOnMain(clone, {
        ...toEffect(request),
        main: request.main,
        since: request.since,
        files: request.files,
        rules: [],
        sameRules: request.sameRules,
        ...(request.base === undefined ? {} : { base: request.base }),
        ...(request.branchCommit === undefined ? {} : { branchCommit: request.branchCommit }),
        message: undoMessage(
          request.rotationId,
          request.claims.map((c) => c.secret),
        ),
      });
      if (reverted.result === 'moved' || reverted.result === 'rules-changed') {
        return { result: reverted.result, tip: reverted.tip };
      }
      return { result: reverted.result === 'nothing' ? 'nothing' : 'reverted' };
    },

    async deleteBranch(request) {
      await deleteBranch(clone, toEffect(request));
    },
    async records(environment, signal) {
      const { records } = await readHistory(clone.gitDir, { environment, remote: undefined, signal });
      return records;
    },
    async writeRecord(record, signal) {
      await writeRecord(clone, record, { author, signal });
    },
  };
}

function signature(date: Date): Signature {
  return { ...author, date };
}

function toEffect(request: EffectInRepo): Effect {
  return {
    rotationId: request.rotationId,
    claims: request.claims,
    author: signature(request.date),
    signal: request.signal,
  };
}

/** What rotate.yaml on the remote's default branch names; without one, that branch itself, whose reading then tells why. */
async function mainBranch(clone: Clone, snapshots: Snapshots): Promise<string> {
  const fallback = (await clone.defaultBranch()) ?? 'main';
  const tip = await clone.tip(fallback);
  if (tip === undefined) return fallback;
  const { config } = await snapshots.at(tip, AbortSignal.timeout(60_000));
  return config.repo.branch;
}
