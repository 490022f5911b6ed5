import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Clone } from '../../repo/clone.js';
import { discover } from '../../repo/discover.js';
import { gitAt, gitText } from '../../repo/git.js';
import { recordPath, writeRecord } from '../../repo/log-branch.js';
import { readHistory } from '../../repo/log-reader.js';
import { formatRecord, parseRecord, type RotationRecord } from '../../repo/record.js';
import { makeFleet, typeScript, type Fleet } from './fixtures.js';

const by = { author: { name: 'rotate', email: 'rotate@example.org' } };

function record(n: number, more: Partial<RotationRecord> = {}): RotationRecord {
  const id = `01KB00000000000000000000${String(n).padStart(2, '0')}`;
  return {
    version: 1,
    id,
    environment: 'prod',
    secrets: ['db-password'],
    state: 'done',
    startedAt: '2026-11-23T12:00:00.000Z',
    endedAt: `2026-11-23T12:00:${String(n).padStart(2, '0')}.000Z`,
    steps: [{ name: 'generate', state: 'done', attempts: 1, hosts: [{ name: 'web-1', state: 'done' }] }],
    proof: [
      { claim: 'the old value is refused', result: 'passed', at: '2026-11-23T12:00:01Z', evidence: '28000' },
    ],
    by: 'alice@laptop',
    why: 'left the company',
    commit: 'a'.repeat(40),
    planDigest: 'b'.repeat(64),
    details: [
      {
        name: 'db-password',
        kind: 'postgres',
        file: 'secrets/prod/db-password.age',
        oldAccount: 'app_a',
        confirmed: { destroy: 'alice@laptop' },
      },
    ],
    ...more,
  };
}

const person = (fleet: Fleet) => join(fleet.folder, 'person');
const ids = (records: readonly RotationRecord[]) => records.map(({ id }) => id);
const write = (clone: Clone, each: RotationRecord) => writeRecord(clone, each, by);

describe('writeRecord', () => {
  test('makes the branch without history of main, and the same record again adds nothing', async () => {
    const fleet = await makeFleet();
    const clone = await fleet.worker();
    expect((await write(clone, record(1))).result).toBe('written');
    expect((await write(await fleet.worker(), record(1))).result).toBe('already');
    const files = await gitText(fleet.remote, { args: ['ls-tree', '-r', '--name-only', 'rotate-log'] });
    expect(files).toBe(`prod/${record(1).id}.json`);
    expect(await gitText(fleet.remote, { args: ['rev-list', '--count', 'rotate-log'] })).toBe('1');
  });

  test('two workers who write at once, also the very first records, lose nothing', async () => {
    const fleet = await makeFleet();
    const [one, two] = [await fleet.worker(), await fleet.worker()];
    await Promise.all([1, 2, 3, 4, 5, 6].map((n) => write(n % 2 === 0 ? one : two, record(n))));
    const { records } = await readHistory(person(fleet));
    expect(ids(records)).toEqual(ids([6, 5, 4, 3, 2, 1].map((n) => record(n))));
  });

  test('a late attempt does not overwrite a later record of the same rotation', async () => {
    const fleet = await makeFleet();
    const clone = await fleet.worker();
    const early = record(1, { state: 'needs-attention' });
    const end = record(1, { endedAt: '2026-11-23T13:00:00.000Z' });
    await write(clone, early);
    expect((await write(clone, end)).result).toBe('written');
    expect((await write(clone, early)).result).toBe('overtaken');
    const { records } = await readHistory(person(fleet));
    expect(records).toEqual([end]);
  });

  test('names that git or a file system would refuse are kept apart', () => {
    expect(recordPath('a/b', '01X')).toBe('a%2Fb/01X.json');
    expect(recordPath('..', '01X')).toBe('%2E%2E/01X.json');
  });
});

describe('readHistory', () => {
  test('selects by environment and secret, newest first, at most so many', async () => {
    const fleet = await makeFleet();
    const clone = await fleet.worker();
    await write(clone, record(1));
    await write(clone, record(2, { environment: 'test' }));
    await write(clone, record(3, { secrets: ['other', 'db-password'] }));
    await write(clone, record(4, { secrets: ['other'] }));
    const read = async (query: Parameters<typeof readHistory>[1]) =>
      ids((await readHistory(person(fleet), query)).records).map((id) => Number(id.slice(-2)));
    expect(await read({})).toEqual([4, 3, 2, 1]);
    expect(await read({ environment: 'prod' })).toEqual([4, 3, 1]);
    expect(await read({ secret: 'db-password' })).toEqual([3, 2, 1]);
    expect(await read({ environment: 'prod', secret: 'db-password', limit: 1 })).toEqual([3]);
    expect(await read({ environment: 'no-such' })).toEqual([]);
  });

  test('shows what the clone has when the remote cannot be reached, and says so', async () => {
    const fleet = await makeFleet();
    await write(await fleet.worker(), record(1));
    expect((await readHistory(person(fleet))).source).toBe('remote');
    await rename(fleet.bare, `${fleet.bare}.away`);
    const history = await readHistory(person(fleet));
    expect(history).toMatchObject({ source: 'clone', stale: { type: 'GitUnreachable' } });
    expect(ids(history.records)).toEqual([record(1).id]);
  });

  test('a fleet that has never rotated has no log, which is no failure', async () => {
    const fleet = await makeFleet();
    expect(await readHistory(person(fleet))).toEqual({ records: [], source: 'none', unreadable: [] });
  });

  test('what is no record is told and does not hide the others', async () => {
    const fleet = await makeFleet();
    await write(await fleet.worker(), record(1));
    await fleet.person(
      { 'prod/broken.json': '{', 'prod/later.json': '{"version": 2}', 'prod/empty.json': '{"version": 1}' },
      { branch: 'rotate-log' },
    );
    const { records, unreadable } = await readHistory(person(fleet));
    expect(ids(records)).toEqual([record(1).id]);
    expect(unreadable.map(({ path, message }) => `${path}: ${message}`).sort()).toEqual([
      expect.stringMatching(/^prod\/broken.json: no JSON/),
      'prod/empty.json: its id is not as it should be',
      'prod/later.json: version 2 is not known to this version of rotate',
    ]);
  });

  test('loads no package at all, since it runs at each start of the command line', async () => {
    const script = `
      const { loaded } = globalThis;
      await import('./repo/log-reader.ts');
      await import('./repo/discover.ts');
      console.log(JSON.stringify(loaded));`;
    const child = spawn(process.execPath, [...typeScript, '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [out] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    const loaded = z.array(z.string()).parse(JSON.parse(out));
    expect(loaded.filter((url) => url.endsWith('/repo/record.ts'))).not.toEqual([]);
    expect(loaded.filter((url) => url.includes('/node_modules/'))).toEqual([]);
  });
});

describe('a record', () => {
  test('comes back as it was written, whatever the order of its keys', () => {
    const one = record(1);
    expect(parseRecord(formatRecord(one))).toEqual(one);
    const turned = Object.fromEntries(Object.entries(one).reverse());
    expect(parseRecord(JSON.stringify(turned))).toEqual(one);
  });

  test.each([
    ['state', { state: 'finished' }],
    ['steps', { steps: [{ name: 'generate' }] }],
    ['secrets', { secrets: 'db-password' }],
    ['reason', { reason: { type: 'Nonsense', message: 'x' } }],
  ])('with a wrong %s is refused by name', (part, change) => {
    expect(parseRecord(JSON.stringify({ ...record(1), ...change }))).toBe(
      `its ${part} is not as it should be`,
    );
  });
});

describe('discover', () => {
  test('finds root, branch, commit and remote from a folder below', async () => {
    const fleet = await makeFleet();
    expect(await discover(join(person(fleet), 'secrets', 'prod'))).toEqual({
      root: person(fleet),
      branch: 'main',
      commit: fleet.base,
      remote: 'origin',
      remoteUrl: fleet.url,
    });
  });

  test('leaves out what there is not: no commit, no remote, a detached HEAD', async () => {
    const fleet = await makeFleet();
    const git = gitAt({ environment: fleet.environment, cwd: fleet.folder });
    await git({ args: ['init', '-q', '-b', 'trunk', 'fresh'] });
    const root = join(fleet.folder, 'fresh');
    expect(await discover(root)).toEqual({ root, branch: 'trunk' });
    const inWork = gitAt({ environment: fleet.environment, cwd: person(fleet) });
    await inWork({ args: ['checkout', '-q', '--detach'] });
    expect(await discover(person(fleet))).not.toHaveProperty('branch');
  });

  test('outside of a repo it says what to do', async () => {
    await expect(discover('/')).rejects.toMatchObject({
      type: 'Usage',
      hint: expect.stringContaining('clone'),
    });
  });
});
