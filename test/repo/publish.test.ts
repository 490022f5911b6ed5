import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readClaims } from '../../repo/claims.js';
import type { Clone } from '../../repo/clone.js';
import { commitFiles } from '../../repo/commit.js';
import { gitText } from '../../repo/git.js';
import { deleteBranch, publishClaims, pushBranch } from '../../repo/publish.js';
import { author, bytes, claim, dbPassword, file, makeFleet, message } from './fixtures.js';

const id = '01KB0000000000000000000001';
const other = '01KB0000000000000000000002';

async function newCommit(
  clone: Clone,
  base: string,
  text = 'new ciphertext',
  rotationId = id,
): Promise<string> {
  return commitFiles(clone, { base, files: { [file]: bytes(text) }, message: message(rotationId), author });
}

describe('pushBranch', () => {
  test('pushes the branch together with a claim that holds rotation and fence', async () => {
    const fleet = await makeFleet();
    const clone = await fleet.worker();
    const commit = await newCommit(clone, fleet.base);
    const pushed = await pushBranch(clone, { rotationId: id, claims: [claim(1, 2)], author, commit });
    expect(pushed).toEqual({ result: 'pushed', branch: `rotate/${id}`, commit });
    expect(await fleet.show(`rotate/${id}`, file)).toBe('new ciphertext');
    const reader = await fleet.worker();
    const [stored] = await readClaims(reader, [dbPassword, { environment: 'prod', name: 'no-such' }]);
    expect(stored).toMatchObject({ rotationId: id, fence: { epoch: 1, seq: 2 }, secret: dbPassword });
  });

  test('a second attempt of the same command finds its work done and adds nothing', async () => {
    const fleet = await makeFleet();
    const clone = await fleet.worker();
    const commit = await newCommit(clone, fleet.base);
    const effect = { rotationId: id, claims: [claim(1, 2)], author, commit };
    await pushBranch(clone, effect);
    const before = await gitText(fleet.remote, { args: ['for-each-ref'] });
    expect((await pushBranch(await fleet.worker(), effect)).result).toBe('already');
    expect(await gitText(fleet.remote, { args: ['for-each-ref'] })).toBe(before);
  });

  test('a second attempt that encrypted anew is told the commit of the first', async () => {
    const fleet = await makeFleet();
    const clone = await fleet.worker();
    const first = await newCommit(clone, fleet.base, 'one');
    const second = await newCommit(clone, fleet.base, 'two');
    await pushBranch(clone, { rotationId: id, claims: [claim(1, 2)], author, commit: first });
    const again = await pushBranch(clone, { rotationId: id, claims: [claim(1, 2)], author, commit: second });
    expect(again).toMatchObject({ result: 'exists', commit: first });
    const later = await pushBranch(clone, { rotationId: id, claims: [claim(1, 3)], author, commit: second });
    expect(later).toMatchObject({ result: 'pushed', commit: second });
    expect(await fleet.show(`rotate/${id}`, file)).toBe('two');
  });

  test('a branch that a person deleted is pushed again by the same command', async () => {
    const fleet = await makeFleet();
    const clone = await fleet.worker();
    const effect = {
      rotationId: id,
      claims: [claim(1, 2)],
      author,
      commit: await newCommit(clone, fleet.base),
    };
    await pushBranch(clone, effect);
    await fleet.remote({ args: ['update-ref', '-d', `refs/heads/rotate/${id}`] });
    expect((await pushBranch(clone, effect)).result).toBe('pushed');
    expect(await fleet.show(`rotate/${id}`, file)).toBe('new ciphertext');
  });

  test('a lower fence, and the same fence of another rotation, are superseded and change nothing', async () => {
    const fleet = await makeFleet();
    const clone = await fleet.worker();
    await publishClaims(clone, { rotationId: other, claims: [claim(2, 5)], author });
    const commit = await newCommit(clone, fleet.base);
    const before = await gitText(fleet.remote, { args: ['for-each-ref'] });
    for (const each of [claim(2, 4), claim(1, 9), claim(2, 5)])
      await expect(
        pushBranch(clone, { rotationId: id, claims: [each], author, commit }),
      ).rejects.toMatchObject({
        type: 'Superseded',
        details: { rotationId: other, fence: '2.5' },
      });
    expect(await gitText(fleet.remote, { args: ['for-each-ref'] })).toBe(before);
  });

  test('of two rotations that push at once with one fence exactly one wins', async () => {
    const fleet = await makeFleet();
    const [one, two] = [await fleet.worker(), await fleet.worker()];
    const outcomes = await Promise.allSettled([
      pushBranch(one, {
        rotationId: id,
        claims: [claim(1, 1)],
        author,
        commit: await newCommit(one, fleet.base),
      }),
      pushBranch(two, {
        rotationId: other,
        claims: [claim(1, 1)],
        author,
        commit: await newCommit(two, fleet.base, 'x', other),
      }),
    ]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    expect(failed?.reason).toMatchObject({ type: 'Superseded' });
    const branches = await gitText(fleet.remote, { args: ['for-each-ref', 'refs/heads/rotate'] });
    expect(branches.split('\n')).toHaveLength(1);
  });

  test('a remote that refuses refs outside refs/heads is named with a hint', async () => {
    const fleet = await makeFleet();
    const clone = await fleet.worker();
    const hook = join(fleet.bare, 'hooks', 'pre-receive');
    const script =
      '#!/bin/sh\nwhile read -r _ _ ref; do case $ref in refs/heads/*) ;; *) echo "only branches here" >&2; exit 1;; esac; done\n';
    await writeFile(hook, script);
    await chmod(hook, 0o755);
    const commit = await newCommit(clone, fleet.base);
    await expect(
      pushBranch(clone, { rotationId: id, claims: [claim(1, 1)], author, commit }),
    ).rejects.toMatchObject({
      type: 'GitRefused',
      message: expect.stringContaining('only branches here'),
      hint: expect.stringContaining('refs/rotate/*'),
    });
    expect(await gitText(fleet.remote, { args: ['for-each-ref', 'refs/heads/rotate'] })).toBe('');
  });

  test('a remote that hides refs/rotate is named with a hint', async () => {
    const fleet = await makeFleet();
    const clone = await fleet.worker();
    await fleet.remote({ args: ['config', 'receive.hideRefs', 'refs/rotate'] });
    const commit = await newCommit(clone, fleet.base);
    await expect(
      pushBranch(clone, { rotationId: id, claims: [claim(1, 1)], author, commit }),
    ).rejects.toMatchObject({
      type: 'GitRefused',
      hint: expect.stringContaining('refs/rotate/*'),
    });
  });

  test('an unreachable remote is a transient failure', async () => {
    const fleet = await makeFleet();
    const clone = await fleet.worker();
    const commit = await newCommit(clone, fleet.base);
    await rename(fleet.bare, `${fleet.bare}.away`);
    const push = pushBranch(clone, { rotationId: id, claims: [claim(1, 1)], author, commit });
    await expect(push).rejects.toMatchObject({ type: 'GitUnreachable', retryable: true });
    await rename(`${fleet.bare}.away`, fleet.bare);
    const again = await pushBranch(clone, { rotationId: id, claims: [claim(1, 1)], author, commit });
    expect(again.result).toBe('pushed');
  });

  test('a push that was taken but whose answer was lost is found done by the next attempt', async () => {
    const fleet = await makeFleet();
    const clone = await fleet.worker({ networkTimeoutMs: 1_000 });
    const hook = join(fleet.bare, 'hooks', 'post-receive');
    await writeFile(hook, '#!/bin/sh\nexec sleep 30 >/dev/null 2>&1\n', { mode: 0o755 });
    const commit = await newCommit(clone, fleet.base);
    const effect = { rotationId: id, claims: [claim(1, 1)], author, commit };
    await expect(pushBranch(clone, effect)).rejects.toMatchObject({ type: 'GitUnreachable' });
    await rm(hook);
    expect((await pushBranch(clone, effect)).result).toBe('already');
  });

  test('a push that was cut off before it was taken is made by the next attempt', async () => {
    const fleet = await makeFleet();
    const clone = await fleet.worker();
    const hook = join(fleet.bare, 'hooks', 'pre-receive');
    await writeFile(hook, '#!/bin/sh\nexec sleep 30 >/dev/null 2>&1\n', { mode: 0o755 });
    const commit = await newCommit(clone, fleet.base);
    const effect = { rotationId: id, claims: [claim(1, 1)], author, commit };
    const reason = new Error('the worker shuts down');
    const stop = new AbortController();
    const pushing = pushBranch(clone, { ...effect, signal: stop.signal });
    setTimeout(() => stop.abort(reason), 700);
    await expect(pushing).rejects.toBe(reason);
    await rm(hook);
    expect((await pushBranch(clone, effect)).result).toBe('pushed');
  });

  test('a lock file left at the remote is a conflict that names it, and passes when it is gone', async () => {
    const fleet = await makeFleet();
    const clone = await fleet.worker();
    const lock = join(fleet.bare, 'refs', 'rotate', 'claims', 'prod', 'db-password.lock');
    await mkdir(dirname(lock), { recursive: true });
    await writeFile(lock, '');
    const commit = await newCommit(clone, fleet.base);
    const effect = { rotationId: id, claims: [claim(1, 1)], author, commit };
    await expect(pushBranch(clone, effect)).rejects.toMatchObject({
      type: 'GitConflict',
      message: expect.stringContaining('db-password'),
    });
    await rm(lock);
    expect((await pushBranch(clone, effect)).result).toBe('pushed');
  }, 20_000);

  test('a person’s branch named rotate is told as what is in the way', async () => {
    const fleet = await makeFleet();
    await fleet.person({ x: 'y' }, { branch: 'rotate', onto: 'origin/main' });
    const clone = await fleet.worker();
    const commit = await newCommit(clone, fleet.base);
    await expect(
      pushBranch(clone, { rotationId: id, claims: [claim(1, 1)], author, commit }),
    ).rejects.toMatchObject({
      type: 'GitRefused',
      hint: expect.stringContaining('branch'),
    });
  });

  test('a ref of someone else among the claims is an error, not a fence', async () => {
    const fleet = await makeFleet();
    await fleet.remote({ args: ['update-ref', 'refs/rotate/claims/prod/db-password', fleet.base] });
    const clone = await fleet.worker();
    await expect(readClaims(clone, [dbPassword])).rejects.toMatchObject({ type: 'GitFailed' });
  });

  test('works on a repo with SHA-256 ids', async () => {
    const fleet = await makeFleet({ objectFormat: 'sha256' });
    const clone = await fleet.worker();
    const commit = await newCommit(clone, fleet.base);
    expect(commit).toHaveLength(64);
    const effect = { rotationId: id, claims: [claim(1, 1)], author, commit };
    expect((await pushBranch(clone, effect)).result).toBe('pushed');
    expect((await pushBranch(clone, effect)).result).toBe('already');
  });

  test('gc between making the commit and pushing it loses nothing', async () => {
    const fleet = await makeFleet();
    const clone = await fleet.worker();
    const commit = await newCommit(clone, fleet.base);
    await clone.git({ args: ['gc', '--quiet', '--aggressive', '--prune=now'] });
    await pushBranch(clone, { rotationId: id, claims: [claim(1, 1)], author, commit });
    await fleet.remote({ args: ['gc', '--quiet', '--aggressive', '--prune=now'] });
    expect((await deleteBranch(clone, { rotationId: id, claims: [claim(1, 2)], author })).deleted).toBe(true);
  });
});

describe('deleteBranch', () => {
  test('deletes the branch; gone already is success, and the fence rises all the same', async () => {
    const fleet = await makeFleet();
    const clone = await fleet.worker();
    const commit = await newCommit(clone, fleet.base);
    await pushBranch(clone, { rotationId: id, claims: [claim(1, 1)], author, commit });
    expect(await deleteBranch(clone, { rotationId: id, claims: [claim(1, 2)], author })).toEqual({
      deleted: true,
    });
    expect(await deleteBranch(clone, { rotationId: id, claims: [claim(1, 3)], author })).toEqual({
      deleted: false,
    });
    const [stored] = await readClaims(clone, [dbPassword]);
    expect(stored?.fence).toEqual({ epoch: 1, seq: 3 });
    const late = pushBranch(clone, { rotationId: id, claims: [claim(1, 1)], author, commit });
    await expect(late).rejects.toMatchObject({ type: 'Superseded' });
    expect(await clone.tip(`rotate/${id}`)).toBeUndefined();
  });
});
