/** `list` and `history`: real git, no Temporal. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { makeRepo, rotateYaml } from './fleet.js';
import { pushLog, record } from './log-branch.js';
import { expectOutput } from './schema.js';
import { rotate, type Ended, type World } from './world.js';

let folder: string;
let repo: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rotate-cli-'));
  repo = makeRepo(folder);
});
afterEach(() => rmSync(folder, { recursive: true }));

function here(args: string, world: Partial<World> = {}): Promise<Ended> {
  return rotate(args.split(' '), { cwd: repo, ...world });
}

const first = record('01JDH00000000000000000000A', 'prod', 'db-password', { why: 'quarterly' });
const second = record('01JDH00000000000000000000B', 'prod', 'db-password', {
  state: 'rolled-back',
  reason: { type: 'SwitchFailed', message: 'web-1 does not switch' },
});
const other = record('01JDH00000000000000000000C', 'test', 'api-key', {});

describe('rotate list', () => {
  test('shows the secrets and that none was ever rotated', async () => {
    expect(await here('list')).toEqual({
      code: 0,
      stdout: `ENVIRONMENT  NAME         KIND      STORE   AGE      LAST   FILE
prod         db-password  postgres  agenix  unknown  never  secrets/prod/db-password.age
prod         api-key      postgres  agenix  unknown  never  secrets/prod/api-key.age
test         api-key      postgres  agenix  unknown  never  secrets/test/api-key.age
`,
      stderr: '',
    });
  });

  test('shows the last rotation of each from the remote, as JSON too', async () => {
    pushLog(folder, [first, second, other]);
    const { code, stdout } = await here('list --json', { cwd: join(repo, 'deep') });
    expectOutput(stdout, 'list');
    expect(JSON.parse(stdout)).toEqual([
      {
        environment: 'prod',
        name: 'db-password',
        kind: 'postgres',
        store: 'agenix',
        file: 'secrets/prod/db-password.age',
        tags: [],
        rotatedAt: first.endedAt,
        lastRotation: { id: second.id, state: 'rolled-back', endedAt: second.endedAt },
      },
      expect.not.objectContaining({ lastRotation: expect.anything() }),
      expect.objectContaining({ lastRotation: expect.objectContaining({ id: other.id }) }),
    ]);
    expect(code).toBe(0);
    const { stdout: text } = await here('list --env prod');
    expect(text).toMatch(/prod +db-password +postgres +agenix +\d+ days? +rolled-back/);
    expect(text).not.toContain('test ');
  });

  test('fits a narrow terminal', async () => {
    const { stdout } = await here('list', { terminal: { columns: 60 } });
    expect(stdout).toBe(`ENVIRON…  NAME      KIND     STORE   AGE      LAST   FILE
prod      db-pass…  postgr…  agenix  unknown  never  secret…
prod      api-key   postgr…  agenix  unknown  never  secret…
test      api-key   postgr…  agenix  unknown  never  secret…
`);
  });

  test('shows what the clone has when the remote is gone, and says so', async () => {
    pushLog(folder, [first]);
    await here('list');
    renameSync(join(folder, 'remote.git'), join(folder, 'moved.git'));
    const { code, stdout, stderr } = await here('list --json');
    expect(JSON.parse(stdout)[0].lastRotation.id).toBe(first.id);
    expect(stderr).toMatch(/^rotate: the log may be out of date: /);
    expect(code).toBe(0);
  });

  test('needs no git', async () => {
    const bare = join(folder, 'no-git');
    mkdirSync(bare);
    writeFileSync(join(bare, 'rotate.yaml'), rotateYaml);
    const { code, stdout, stderr } = await here('list --json', { cwd: bare });
    expectOutput(stdout, 'list');
    expect(stderr).toMatch(/^rotate: no history: /);
    expect(code).toBe(0);
  });

  test('says where rotate.yaml is wrong, and what to do', async () => {
    writeFileSync(join(repo, 'rotate.yaml'), rotateYaml.replace('store: agenix', 'stor: agenix'));
    const { code, stdout, stderr } = await here('list --json', { cwd: join(repo, 'deep') });
    expectOutput(stdout, 'error');
    expect(stderr).toContain('rotate.yaml:3:');
    expect(stderr).toContain('did you mean `store`?');
    expect(code).toBe(2);
  });

  test('takes a rotate.yaml by name, and says when there is none', async () => {
    expect((await here(`list --config ${join(repo, 'rotate.yaml')}`, { cwd: folder })).code).toBe(0);
    expect(await here('list --config nowhere.yaml')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('there is no file nowhere.yaml, which --config names'),
    });
    expect(await here('list --config .')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(
        '., which --config names, is a folder\nrotate: hint: name the file in it',
      ),
    });
    expect(await here('list --env prd')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('unknown environment `prd`, did you mean `prod`?'),
    });
  });
});

describe('what is due', () => {
  const day = 86_400_000;
  /** A rotation of so many days ago. */
  function daysAgo(id: string, environment: string, secret: string, days: number, more = {}) {
    const at = new Date(Date.now() - days * day - 60_000).toISOString();
    return record(id, environment, secret, { startedAt: at, endedAt: at, ...more });
  }
  beforeEach(() => {
    writeFileSync(
      join(repo, 'rotate.yaml'),
      `${rotateYaml
        .replace('file: secrets/prod/api-key.age', '$&\n      maxAge: 90d\n      warnBefore: 14d')
        .replace('file: secrets/test/api-key.age', '$&\n      maxAge: 90d\n      warnBefore: 14d')}
schedules:
  quarterly: { environment: prod, secrets: [db-password], every: 80d }
`,
    );
  });

  test('stands beside each, and is what --due lists, with an exit code', async () => {
    pushLog(folder, [
      daysAgo('01JDH00000000000000000000A', 'prod', 'db-password', 82),
      daysAgo('01JDH00000000000000000000B', 'prod', 'api-key', 10),
      daysAgo('01JDH00000000000000000000C', 'test', 'api-key', 80),
    ]);
    const all = await here('list');
    expect(all.stdout).toBe(
      `ENVIRONMENT  NAME         KIND      STORE   AGE      DUE              LAST  FILE
prod         db-password  postgres  agenix  82 days  due for 2 days   done  secrets/prod/db-password.age
prod         api-key      postgres  agenix  10 days  in 79 days       done  secrets/prod/api-key.age
test         api-key      postgres  agenix  80 days  in 9 days, soon  done  secrets/test/api-key.age
`,
    );
    expect(all.code).toBe(0);
    const due = await here('list --due --json');
    expectOutput(due.stdout, 'list');
    expect(JSON.parse(due.stdout)).toMatchObject([
      { environment: 'prod', name: 'db-password', due: { state: 'due', dueAt: expect.any(String) } },
      { environment: 'test', name: 'api-key', due: { state: 'due-soon' } },
    ]);
    expect(due.code).toBe(1);
  });

  test('is what was never rotated, and not what was since', async () => {
    const overdue = JSON.parse((await here('list --due --json')).stdout);
    expect(overdue.map((s: { due: unknown }) => s.due)).toEqual([
      { state: 'due' },
      { state: 'overdue' },
      { state: 'overdue' },
    ]);
    pushLog(folder, [
      daysAgo('01JDH00000000000000000000A', 'prod', 'db-password', 100),
      daysAgo('01JDH00000000000000000000B', 'prod', 'db-password', 1),
      daysAgo('01JDH00000000000000000000C', 'prod', 'api-key', 1),
      // Undone: it is as old as before.
      daysAgo('01JDH00000000000000000000D', 'test', 'api-key', 100),
      daysAgo('01JDH00000000000000000000E', 'test', 'api-key', 1, { state: 'rolled-back' }),
    ]);
    expect(await here('list --due --env prod')).toEqual({
      code: 0,
      stdout: '',
      stderr: 'rotate: nothing is due\n',
    });
    const { code, stdout } = await here('list --due');
    expect(stdout).toContain('overdue for 10 d');
    expect(code).toBe(1);
  });
});

describe('rotate history', () => {
  test('shows the rotations of one secret, newest first', async () => {
    pushLog(folder, [first, second, other]);
    expect(await here('history db-password')).toEqual({
      code: 0,
      stdout: `ID                          STARTED               TOOK        STATE        BY            WHY
01JDH00000000000000000000B  2026-11-20T12:00:00Z  12 min 5 s  rolled-back  alice@laptop  web-1 does not switch
01JDH00000000000000000000A  2026-11-20T12:00:00Z  12 min 5 s  done         alice@laptop  quarterly
`,
      stderr: '',
    });
  });

  test('prints the records as JSON, as many as asked for', async () => {
    pushLog(folder, [first, second, other]);
    const { stdout, code } = await here('history prod/db-password --json --limit 1');
    expectOutput(stdout, 'history');
    expect(JSON.parse(stdout)).toEqual([JSON.parse(JSON.stringify(second))]);
    expect(code).toBe(0);
  });

  test('says that a secret was never rotated, or is none', async () => {
    expect(await here('history db-password')).toEqual({
      code: 0,
      stdout: '',
      stderr: 'rotate: prod/db-password was never rotated, as far as the log branch says\n',
    });
    expect(await here('history db-pass')).toMatchObject({ code: 2 });
    expect(await here('history db-password --limit many')).toMatchObject({ code: 2 });
  });
});
