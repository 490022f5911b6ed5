import { describe, expect, test } from 'vitest';
import { readClaims } from '../../repo/claims.js';
import type { Clone } from '../../repo/clone.js';
import { commitFiles, undoMessage } from '../../repo/commit.js';
import { gitText } from '../../repo/git.js';
import { merge, type MergeOptions } from '../../repo/merge.js';
import { publishClaims, pushBranch } from '../../repo/publish.js';
import { revertOnMain, type RevertOptions } from '../../repo/revert.js';
import { author, bytes, claim, dbPassword, file, makeFleet, message, rules, type Fleet } from './fixtures.js';

const id = '01KB0000000000000000000001';
const old = bytes('old ciphertext\r\n');

interface Ready {
  fleet: Fleet;
  clone: Clone;
  commit: string;
  options: MergeOptions;
}

/** A fleet with the branch rotate/<id> pushed. */
async function ready(): Promise<Ready> {
  const fleet = await makeFleet();
  const clone = await fleet.worker();
  const files = { [file]: bytes('new ciphertext') };
  const commit = await commitFiles(clone, { base: fleet.base, files, message: message(id), author });
  await pushBranch(clone, { rotationId: id, claims: [claim(1, 1)], author, commit });
  const options = {
    rotationId: id,
    claims: [claim(1, 2)],
    author,
    main: 'main',
    base: fleet.base,
    files,
    branchCommit: commit,
    rules,
    message: message(id),
  };
  return { fleet, clone, commit, options };
}

function undo(fleet: Fleet, seq: number): RevertOptions {
  return {
    rotationId: id,
    claims: [claim(1, seq)],
    author,
    main: 'main',
    since: fleet.base,
    files: { [file]: old },
    rules,
    message: undoMessage(id, [dbPassword]),
  };
}

const count = (fleet: Fleet) => gitText(fleet.remote, { args: ['rev-list', '--count', 'main'] });

describe('merge', () => {
  test('moves main to the very commit that was deployed when main has not moved', async () => {
    const { fleet, clone, commit, options } = await ready();
    expect(await merge(clone, options)).toEqual({ result: 'merged', commit, tip: commit });
    expect(await gitText(fleet.remote, { args: ['rev-parse', 'main'] })).toBe(commit);
  });

  test('writes the same bytes on the new tip when main has moved elsewhere', async () => {
    const { fleet, clone, commit, options } = await ready();
    const theirs = await fleet.person({ 'flake.nix': '{ changed = true; }\n' });
    const merged = await merge(clone, options);
    expect(merged).toMatchObject({ result: 'merged' });
    expect(merged).not.toMatchObject({ commit });
    expect(await fleet.show('main', file)).toBe('new ciphertext');
    expect(await fleet.show('main', 'flake.nix')).toBe('{ changed = true; }');
    expect(await gitText(fleet.remote, { args: ['rev-parse', 'main^'] })).toBe(theirs);
    expect(await gitText(fleet.remote, { args: ['log', '-1', '--format=%B', 'main'] })).toContain(
      `Rotate-Id: ${id}`,
    );
  });

  test('a second attempt finds it merged, also after others have pushed on top', async () => {
    const { fleet, clone, options } = await ready();
    await fleet.person({ 'flake.nix': '{ a = 1; }\n' });
    const first = await merge(clone, options);
    await fleet.person({ 'flake.nix': '{ a = 2; }\n' });
    const commits = await count(fleet);
    const again = await merge(await fleet.worker(), options);
    expect(again).toMatchObject({ result: 'already' });
    expect('commit' in again && 'commit' in first && again.commit === first.commit).toBe(true);
    // encrypted anew by the second attempt: what the first merged counts
    const anew = await merge(clone, { ...options, files: { [file]: bytes('other bytes, same value') } });
    expect(anew).toMatchObject({ result: 'already' });
    expect(await count(fleet)).toBe(commits);
  });

  test('a squash merge by a person that lost the trailers is recognised by its bytes', async () => {
    const { fleet, clone, options } = await ready();
    const squashed = await fleet.person(
      { [file]: 'new ciphertext' },
      { message: 'Rotate the password (#12)' },
    );
    expect(await merge(clone, options)).toEqual({ result: 'already', commit: squashed, tip: squashed });
  });

  test('a file that was changed on main is reported, not overwritten, and merged when encrypted for that tip', async () => {
    const { fleet, clone, options } = await ready();
    const tip = await fleet.person({ [file]: 'rekeyed by a person' });
    expect(await merge(clone, options)).toEqual({ result: 'files-changed', tip, paths: [file] });
    expect(await fleet.show('main', file)).toBe('rekeyed by a person');
    const files = { [file]: bytes('for the new recipients') };
    expect(await merge(clone, { ...options, base: tip, files })).toMatchObject({ result: 'merged' });
    expect(await fleet.show('main', file)).toBe('for the new recipients');
  });

  test('rules that were changed on main are reported; a caller that compares recipients decides himself', async () => {
    const { fleet, clone, options } = await ready();
    const tip = await fleet.person({ 'secrets/prod/secrets.nix': '{ /* comment */ }\n' });
    expect(await merge(clone, options)).toEqual({ result: 'rules-changed', tip, paths: rules });
    const asked: string[] = [];
    const sameRules = async (at: string) => asked.push(at) > 0;
    expect(await merge(clone, { ...options, sameRules })).toMatchObject({ result: 'merged' });
    expect(asked).toEqual([tip]);
  });

  test('a stale attempt is superseded and main stays', async () => {
    const { fleet, clone, options } = await ready();
    await publishClaims(clone, { rotationId: id, claims: [claim(1, 9)], author });
    await expect(merge(clone, options)).rejects.toMatchObject({ type: 'Superseded' });
    expect(await count(fleet)).toBe('1');
  });

  test('a person who pushes between look and push is not overwritten', async () => {
    const { fleet, clone, options } = await ready();
    await fleet.person({ 'flake.nix': '{ a = 1; }\n' });
    let pushes = 0;
    const sameRules = async () => {
      pushes += 1;
      if (pushes === 1) await fleet.person({ 'flake.nix': '{ a = 2; }\n' });
      return true;
    };
    expect(await merge(clone, { ...options, sameRules })).toMatchObject({ result: 'merged' });
    expect(pushes).toBe(2);
    expect(await fleet.show('main', 'flake.nix')).toBe('{ a = 2; }');
    expect(await fleet.show('main', file)).toBe('new ciphertext');
  });

  test('after main was moved back behind the merge, it is merged again', async () => {
    const { fleet, clone, commit, options } = await ready();
    await merge(clone, options);
    await fleet.remote({ args: ['update-ref', 'refs/heads/main', fleet.base] });
    expect(await merge(clone, options)).toEqual({ result: 'merged', commit, tip: commit });
    expect(await fleet.show('main', file)).toBe('new ciphertext');
  });

  test('two rotations of different secrets that merge at once both reach main', async () => {
    const { fleet, clone, options } = await ready();
    const token = { environment: 'prod', name: 'token' };
    const second = {
      ...options,
      rotationId: '01KB0000000000000000000002',
      claims: [claim(1, 1, token)],
      files: { 'secrets/prod/token.age': bytes('token') },
      message: message('01KB0000000000000000000002'),
    };
    const results = await Promise.all([merge(clone, options), merge(await fleet.worker(), second)]);
    expect(results.map(({ result }) => result)).toEqual(['merged', 'merged']);
    expect(await fleet.show('main', file)).toBe('new ciphertext');
    expect(await fleet.show('main', 'secrets/prod/token.age')).toBe('token');
  });

  test('of a batch, one superseded claim holds back all', async () => {
    const { fleet, clone, options } = await ready();
    const token = { environment: 'prod', name: 'token' };
    await publishClaims(clone, { rotationId: 'another', claims: [claim(7, 1, token)], author });
    const batch = { ...options, claims: [claim(1, 2), claim(1, 2, token)] };
    await expect(merge(clone, batch)).rejects.toMatchObject({
      type: 'Superseded',
      details: { secret: 'prod/token', rotationId: 'another' },
    });
    expect(await count(fleet)).toBe('1');
    const [stored] = await readClaims(clone, [dbPassword]);
    expect(stored?.fence).toEqual({ epoch: 1, seq: 1 });
  });

  test('a branch commit with more than the ciphertext in it does not reach main', async () => {
    const { fleet, clone, options } = await ready();
    const branchCommit = await commitFiles(clone, {
      base: fleet.base,
      files: { ...options.files, 'flake.nix': bytes('{ smuggled = true; }') },
      message: message(id),
      author,
    });
    await merge(clone, { ...options, branchCommit });
    expect(await fleet.show('main', 'flake.nix')).toBe('{ outputs = _: {}; }');
    expect(await fleet.show('main', file)).toBe('new ciphertext');
  });
});

describe('revertOnMain', () => {
  test('writes the old bytes back, once, and keeps what others did', async () => {
    const { fleet, clone, options } = await ready();
    await merge(clone, options);
    await fleet.person({ 'flake.nix': '{ later = true; }\n' });
    expect(await revertOnMain(clone, undo(fleet, 3))).toMatchObject({ result: 'reverted' });
    const blob = await fleet.remote({ args: ['show', `main:${file}`] });
    expect(Uint8Array.from(blob.stdout)).toEqual(old);
    expect(await fleet.show('main', 'flake.nix')).toBe('{ later = true; }');
    const commits = await count(fleet);
    expect(await revertOnMain(await fleet.worker(), undo(fleet, 3))).toMatchObject({ result: 'already' });
    expect(await count(fleet)).toBe(commits);
  });

  test('a secret that someone changed since is left alone and told; the caller may replace what he has seen', async () => {
    const { fleet, clone, options } = await ready();
    await merge(clone, options);
    const tip = await fleet.person({ [file]: 'rekeyed by a person' });
    const told = await revertOnMain(clone, undo(fleet, 3));
    const current = await gitText(fleet.remote, { args: ['rev-parse', `main:${file}`] });
    expect(told).toEqual({ result: 'moved', tip, current: { [file]: current } });
    expect(await fleet.show('main', file)).toBe('rekeyed by a person');
    const again = {
      ...undo(fleet, 3),
      files: { [file]: bytes('old value for new keys') },
      base: tip,
    };
    const later = await fleet.person({ [file]: 'changed once more' });
    expect(await revertOnMain(clone, again)).toMatchObject({ result: 'moved', tip: later });
    expect(await revertOnMain(clone, { ...again, base: later })).toMatchObject({ result: 'reverted' });
    expect(await fleet.show('main', file)).toBe('old value for new keys');
  });

  test('what someone wrote into the file before it was merged is told too: the old bytes do not have it', async () => {
    const { fleet, clone, options } = await ready();
    const theirs = await fleet.person({ [file]: 'old and their edit' });
    expect(await merge(clone, options)).toMatchObject({ result: 'files-changed', tip: theirs });
    const files = { [file]: bytes('new and their edit') };
    const merged = await merge(clone, { ...options, base: theirs, files });
    expect(merged).toMatchObject({ result: 'merged' });
    const current = await gitText(fleet.remote, { args: ['rev-parse', `main:${file}`] });
    const withBranch = { ...undo(fleet, 3), branchCommit: options.branchCommit ?? '' };
    const told = await revertOnMain(clone, withBranch);
    expect(told).toEqual({ result: 'moved', tip: merged.tip, current: { [file]: current } });
    expect(await fleet.show('main', file)).toBe('new and their edit');
    const again = { ...withBranch, files: { [file]: bytes('old and their edit') }, base: merged.tip };
    expect(await revertOnMain(clone, again)).toMatchObject({ result: 'reverted' });
    expect(await fleet.show('main', file)).toBe('old and their edit');
    expect(await revertOnMain(clone, again)).toMatchObject({ result: 'already' });
  });

  test('a file that was merged twice, by the rotation alone, gets its old bytes back', async () => {
    const { fleet, clone, options } = await ready();
    const { tip } = await merge(clone, options);
    const files = { [file]: bytes('without the old one') };
    expect(await merge(clone, { ...options, claims: [claim(1, 3)], base: tip, files })).toMatchObject({
      result: 'merged',
    });
    expect(await revertOnMain(clone, undo(fleet, 4))).toMatchObject({ result: 'reverted' });
    expect(await fleet.show('main', file)).toBe('old ciphertext\r');
  });

  test('finds nothing to do when the rotation never reached main, and still raises the fence', async () => {
    const { fleet, clone, options } = await ready();
    await fleet.person({ [file]: 'changed by a person' });
    expect(
      await revertOnMain(clone, { ...undo(fleet, 3), branchCommit: options.branchCommit ?? '' }),
    ).toMatchObject({
      result: 'nothing',
    });
    await expect(merge(clone, options)).rejects.toMatchObject({ type: 'Superseded' });
    expect(await fleet.show('main', file)).toBe('changed by a person');
  });

  test('recognises a squash merge without trailers as its own by the branch commit', async () => {
    const { fleet, clone, commit } = await ready();
    await fleet.person({ [file]: 'new ciphertext' }, { message: 'Squashed (#1)' });
    const reverted = await revertOnMain(clone, { ...undo(fleet, 3), branchCommit: commit });
    expect(reverted).toMatchObject({ result: 'reverted' });
    expect(await fleet.show('main', file)).toBe('old ciphertext\r');
  });

  test('old ciphertext is not put back when the rules have changed since it was made', async () => {
    const { fleet, clone, options } = await ready();
    await merge(clone, options);
    const tip = await fleet.person({ 'secrets/prod/secrets.nix': '{ fewer = []; }\n' });
    expect(await revertOnMain(clone, undo(fleet, 3))).toEqual({ result: 'rules-changed', tip });
    const again = { ...undo(fleet, 3), files: { [file]: bytes('old for fewer') }, base: tip };
    expect(await revertOnMain(clone, again)).toMatchObject({ result: 'reverted' });
  });
});
