/** The commands of schedules, on a real server; see fleet.ts for what is real here. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ScheduleNotFoundError, type ScheduleDescription } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import type { Assessment } from '../../activities/api.js';
import type { TemporalConnection } from '../../client/connection.js';
import { applyChange } from '../../client/schedules.js';
import { loadCodecKeys } from '../../codec/keyring.js';
import { loadRotateYaml } from '../../config/rotate-yaml.js';
import type { DueVerdict } from '../../domain/due-verdict.js';
import { openingsOf } from '../../domain/openings.js';
import type { ScheduleChange } from '../../domain/schedule-diff.js';
import type { ScheduleSpec } from '../../domain/schedule.js';
import type { RunningWorker } from '../../worker/run-worker.js';
import { clockText } from '../domain/support/clock.js';
import { makePlan, rotateYaml, startTestFleet, trouble, type TestFleet } from './fleet.js';
import { expectOutput } from './schema.js';
import { rotate, type Ended, type World } from './world.js';

let fleet: TestFleet;
let worker: RunningWorker;
let connection: TemporalConnection;
const { signal } = new AbortController();

const hour = 3_600_000;

beforeAll(async () => {
  fleet = await startTestFleet();
  worker = await fleet.startWorker();
  connection = await fleet.temporal.connect(await loadCodecKeys([fleet.env['ROTATE_CODEC_KEY_FILE'] ?? '']));
}, 120_000);
afterAll(async () => {
  await connection?.close();
  await fleet?.stop();
}, 60_000);
beforeEach(() => declare());
afterEach(async () => {
  fleet.held.clear();
  for (const name of Object.keys(fleet.answers)) Reflect.deleteProperty(fleet.answers, name);
  for (const name of Object.keys(fleet.troubles)) Reflect.deleteProperty(fleet.troubles, name);
  await deleteAll();
});

function here(args: string | string[], world: Partial<World> = {}): Promise<Ended> {
  const words = typeof args === 'string' ? args.split(' ') : args;
  return rotate(words, { cwd: fleet.repo, env: fleet.env, ...world });
}

const quarterly =
  'quarterly: { environment: prod, calendar: { months: [1, 7], dates: [1], at: "02:30", zone: Europe/Berlin } }';
const yearly = 'yearly: { environment: test, calendar: { months: [1], dates: [1], at: "04:00", zone: UTC } }';
const calm =
  'calm: { environment: prod, secrets: [db-password], every: 90d, window: { from: "01:00", to: "05:00", zone: Europe/Berlin } }';

/** Writes rotate.yaml as it is in the fleet, with these schedules. @param change of the rest of it */
function declare(schedules: readonly string[] = [], change = (text: string): string => text): void {
  const block = schedules.length === 0 ? '' : `schedules:\n${schedules.map((s) => `  ${s}\n`).join('')}`;
  writeFileSync(join(fleet.repo, 'rotate.yaml'), `${change(rotateYaml)}${block}`);
}

function withAgeLimit(text: string): string {
  return text.replace('    api-key:\n', '    api-key:\n      maxAge: 90d\n');
}

/** As rotate.yaml has them now. */
async function declared(): Promise<readonly ScheduleSpec[]> {
  return (await loadRotateYaml(join(fleet.repo, 'rotate.yaml'))).schedules;
}

/** Applies them, and waits until Temporal's list has them too: it lags behind. */
async function apply(schedules: readonly string[], change?: (text: string) => string): Promise<void> {
  declare(schedules, change);
  expect((await here('schedule apply --yes')).code).toBe(0);
  const wanted = (await declared()).map(({ environment, name }) => `due/${environment}/${name}`);
  await expect.poll(ids).toEqual(expect.arrayContaining(wanted));
}

async function ids(): Promise<string[]> {
  const found: string[] = [];
  for await (const { scheduleId } of connection.client.schedule.list()) found.push(scheduleId);
  return found.toSorted();
}

/** All that the tests make. */
const foreign = ['ages/100%', 'ages/billing', 'due/billing/monthly'];
const made = [
  'ages/prod',
  'due/prod/calm',
  'due/prod/quarterly',
  'due/test/yearly',
  'nightly-backup',
  ...foreign,
];

async function deleteAll(): Promise<void> {
  // By name, too: what was made just now may not be listed yet.
  for (const id of new Set([...made, ...(await ids())]))
    await connection.client.schedule
      .getHandle(id)
      .delete()
      .catch((error: unknown) => {
        if (!(error instanceof ScheduleNotFoundError)) throw error;
      });
  await expect.poll(ids).toEqual([]);
}

function described(id: string): Promise<ScheduleDescription> {
  return connection.client.schedule.getHandle(id).describe();
}

async function listed(name: string): Promise<Record<string, unknown>> {
  const { stdout } = await here('schedule list --json');
  expectOutput(stdout, 'scheduleList');
  const all: Record<string, unknown>[] = JSON.parse(stdout);
  return all.find((s) => `${String(s['environment'])}/${String(s['name'])}` === name) ?? {};
}

const terminal = { columns: 200 };
const quarterlyWords = 'day 1 of month 1, 7 at 02:30 Europe/Berlin';

describe('rotate schedule apply', () => {
  test('shows the difference, asks, and makes the server have what is declared', async () => {
    declare([quarterly, yearly]);
    const { code, stdout, stderr } = await here('schedule apply --no-color', { terminal, typed: ['y'] });
    expect(stdout).toBe(
      `+ prod/quarterly  ${quarterlyWords}: api-key, db-password\n` +
        '+ test/yearly  day 1 of month 1 at 04:00 UTC: api-key\n',
    );
    expect(stderr).toBe(
      'Apply 2 changes? [y/N] rotate: hint: `rotate schedule list` shows when they look next\n',
    );
    expect(code).toBe(0);
    await expect.poll(ids).toEqual(['due/prod/quarterly', 'due/test/yearly']);
  });

  test('changes nothing unless the answer is yes', async () => {
    declare([quarterly], withAgeLimit);
    for (const typed of [['n'], [''], []]) {
      const { code, stderr } = await here('schedule apply --no-color', { terminal, typed });
      expect(stderr).toBe('Apply 2 changes? [y/N] rotate: nothing was changed\n');
      expect(code).toBe(1);
    }
    await expect(described('due/prod/quarterly')).rejects.toThrow();
    await expect(described('ages/prod')).rejects.toThrow();
  });

  test('shows what it asks about on stderr, where stdout is for a script', async () => {
    declare([quarterly]);
    const { code, stdout, stderr } = await here('schedule apply --json --no-color', {
      terminal,
      typed: ['yes'],
    });
    expectOutput(stdout, 'scheduleChanges');
    expect(JSON.parse(stdout)).toMatchObject([{ change: 'create', environment: 'prod', name: 'quarterly' }]);
    expect(stderr).toContain('+ prod/quarterly  day 1 of month 1, 7');
    expect(code).toBe(0);
    const refused = await here('schedule apply --json', { terminal, typed: ['n'] });
    expect(refused).toMatchObject({ code: 0, stdout: expect.stringContaining('"keep"') });
    declare();
    await expect.poll(ids).toEqual(['due/prod/quarterly']);
    expect(await here('schedule apply --json', { terminal, typed: ['n'] })).toMatchObject({
      code: 1,
      stdout: '',
    });
  });

  test('needs --yes where there is no terminal', async () => {
    declare([quarterly]);
    const { code, stdout, stderr } = await here('schedule apply --json');
    expectOutput(stdout, 'error');
    expect(stderr).toBe(
      'rotate: error: without a terminal to ask on, --yes is needed\n' +
        'rotate: hint: look with --dry-run, then add --yes\n',
    );
    expect(code).toBe(2);
    await expect(described('due/prod/quarterly')).rejects.toThrow();
  });

  test('with --dry-run exits with 1 while there is a difference, and changes nothing', async () => {
    declare([quarterly], withAgeLimit);
    const { code, stdout, stderr } = await here('schedule apply --dry-run');
    expect(stdout).toBe(
      `+ prod/quarterly  ${quarterlyWords}: api-key, db-password\n+ prod  a daily look at age limits\n`,
    );
    expect([code, stderr]).toEqual([1, '']);
    const json = await here('schedule apply --dry-run --json');
    expectOutput(json.stdout, 'scheduleChanges');
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout)).toEqual([
      {
        change: 'create',
        environment: 'prod',
        name: 'quarterly',
        what: `${quarterlyWords}: api-key, db-password`,
      },
      { change: 'create', environment: 'prod', what: 'a daily look at age limits' },
    ]);
    await expect(described('due/prod/quarterly')).rejects.toThrow();
    await apply([quarterly], withAgeLimit);
    expect(await here('schedule apply --dry-run')).toEqual({
      code: 0,
      stdout: 'the server has what is declared\n',
      stderr: '',
    });
  });

  test('has nothing to do, and nothing to ask, the second time', async () => {
    declare([quarterly, calm]);
    await here('schedule apply --yes');
    const [before] = inputsOf(await described('due/prod/quarterly'));
    // At once, while Temporal's list may not have them yet.
    const again = await here('schedule apply', { terminal });
    expect(again).toEqual({ code: 0, stdout: 'the server has what is declared\n', stderr: '' });
    const { stdout, code } = await here('schedule apply --yes --json');
    expectOutput(stdout, 'scheduleChanges');
    expect(JSON.parse(stdout)).toEqual([
      { change: 'keep', environment: 'prod', name: 'calm', what: '' },
      { change: 'keep', environment: 'prod', name: 'quarterly', what: '' },
    ]);
    expect(code).toBe(0);
    // Written again all the same, so that it is sealed with the newest key; as old as it is.
    const [input] = inputsOf(await described('due/prod/quarterly'));
    expect(input).toEqual(before);
  });

  test('says so where none are declared', async () => {
    expect(await here('schedule apply --yes')).toEqual({
      code: 0,
      stdout: 'no schedules are declared\n',
      stderr: '',
    });
  });

  test('updates what has changed, which stays paused, and as old as it is', async () => {
    await apply([quarterly]);
    const [before] = inputsOf(await described('due/prod/quarterly'));
    expect(before).toMatchObject({
      since: expect.stringMatching(/^20.*Z$/),
      declared: (await declared())[0],
    });
    await here(['schedule', 'pause', 'quarterly', '--reason', 'a migration']);
    declare([
      quarterly
        .replace('[1, 7]', '[1, 4, 7, 10]')
        .replace('{ env', '{ reason: policy, secrets: [api-key], env'),
    ]);
    const { code, stdout } = await here('schedule apply --yes');
    expect(stdout).toBe(
      `~ prod/quarterly  ${quarterlyWords} -> day 1 of month 1, 4, 7, 10 at 02:30 Europe/Berlin; ` +
        'no longer db-password; reason: policy\n',
    );
    expect(code).toBe(0);
    const after = await described('due/prod/quarterly');
    expect(after.state).toMatchObject({ paused: true, note: expect.stringMatching(/^a migration, by .+@/) });
    expect(after.spec.calendars?.[0]?.month?.map(({ start }) => start)).toEqual([
      'JANUARY',
      'APRIL',
      'JULY',
      'OCTOBER',
    ]);
    expect(inputsOf(after)).toEqual([{ ...before, declared: (await declared())[0] }]);
    expect((await here('schedule apply --dry-run')).code).toBe(0);
  });

  test('deletes what is no longer declared, and nothing that is not ours', async () => {
    await apply([quarterly, yearly]);
    const { scheduleId } = await connection.client.schedule.create({
      scheduleId: 'nightly-backup',
      spec: { intervals: [{ every: '1 day' }] },
      action: { type: 'startWorkflow', workflowType: 'backup', taskQueue: 'other' },
    });
    await expect.poll(ids).toContain(scheduleId);
    declare([yearly]);
    const { code, stdout } = await here('schedule apply --yes --json');
    expectOutput(stdout, 'scheduleChanges');
    expect(JSON.parse(stdout)).toMatchObject([
      { change: 'delete', environment: 'prod', name: 'quarterly' },
      { change: 'keep', environment: 'test', name: 'yearly' },
    ]);
    expect(code).toBe(0);
    await expect.poll(ids).toEqual(['due/test/yearly', 'nightly-backup']);
    // Deleted by then, whatever the list still says.
    await expect(described('due/prod/quarterly')).rejects.toThrow();
  });

  test('leaves the schedules of other programs alone, also those with ids like ours', async () => {
    await apply([quarterly], withAgeLimit);
    for (const scheduleId of foreign)
      await connection.client.schedule.create({
        scheduleId,
        spec: { intervals: [{ every: '1 day' }] },
        action: { type: 'startWorkflow', workflowType: 'bill', taskQueue: 'other' },
      });
    await expect.poll(ids).toEqual(expect.arrayContaining([...foreign, 'ages/prod']));
    declare([]);
    const { code, stdout } = await here('schedule apply --yes');
    expect([code, stdout]).toEqual([
      0,
      `- prod/quarterly  ${quarterlyWords}: api-key, db-password\n- prod  a daily look at age limits\n`,
    ]);
    expect((await here('schedule list --json')).stdout).toBe('[]\n');
    await expect.poll(ids).toEqual(foreign);
  });

  test('looks at one environment only with --env, also when it is no longer declared', async () => {
    await apply([quarterly, yearly], withAgeLimit);
    declare();
    const { code, stdout } = await here('schedule apply --yes --env test');
    expect(stdout).toBe('- test/yearly  day 1 of month 1 at 04:00 UTC: api-key\n');
    expect(code).toBe(0);
    await expect.poll(ids).toEqual(['ages/prod', 'due/prod/quarterly']);
    declare([], withoutProd);
    expect((await here('schedule apply --yes --env prod')).stdout).toBe(
      `- prod/quarterly  ${quarterlyWords}: api-key, db-password\n- prod  a daily look at age limits\n`,
    );
    await expect.poll(ids).toEqual([]);
  });

  test('takes an environment that there is not for a slip', async () => {
    declare([quarterly]);
    for (const command of ['schedule apply --yes --env prd', 'schedule list --env prd'])
      expect(await here(command)).toEqual({
        code: 2,
        stdout: '',
        stderr:
          'rotate: error: unknown environment `prd`, did you mean `prod`?\n' +
          'rotate: hint: environments: prod, test\n',
      });
  });

  test('has ages looked at every day where a secret has an age limit, and no longer when none has', async () => {
    await apply([], withAgeLimit);
    await expect.poll(ids).toEqual(['ages/prod']);
    const ages = await described('ages/prod');
    expect(ages).toMatchObject({
      action: { workflowType: 'ages', workflowId: 'ages/prod', args: [{ environment: 'prod' }] },
      policies: { overlap: 'SKIP', catchupWindow: 24 * hour },
    });
    for (const time of ages.info.nextActionTimes)
      expect(clockText('UTC', time.getTime())).toMatch(/ 06:[012]\d:\d\d$/);
    const looked = new Promise((resolve) => {
      fleet.answers.findOld = async (input) => {
        resolve(input);
        return { notices: [] };
      };
    });
    await connection.client.schedule.getHandle('ages/prod').trigger();
    expect(await looked).toEqual({ environment: 'prod' });
    declare();
    expect((await here('schedule apply --yes')).stdout).toBe('- prod  a daily look at age limits\n');
    await expect.poll(ids).toEqual([]);
    expect((await here('schedule list --json')).stdout).toBe('[]\n');
  });

  test('is not in the way of another who does the same at the same time', async () => {
    declare([quarterly]);
    const [first] = await declared();
    if (first === undefined) throw new Error('one is declared');
    const session = { connection, signal };
    const named = { environment: 'prod', name: 'quarterly', what: '' };
    const make: ScheduleChange = { ...named, change: 'create', declared: first };
    await applyChange(session, make, '2026-01-01T00:00:00Z');
    await applyChange(
      session,
      { ...make, declared: { ...first, secrets: ['api-key'] } },
      '2026-02-01T00:00:00Z',
    );
    expect(inputsOf(await described('due/prod/quarterly'))).toMatchObject([
      { since: '2026-01-01T00:00:00Z', declared: { secrets: ['api-key'] } },
    ]);
    await applyChange(session, { ...named, change: 'delete' }, '');
    await applyChange(session, { ...named, change: 'delete' }, '');
    await expect(
      applyChange(session, { ...make, change: 'update' }, '2026-02-01T00:00:00Z'),
    ).rejects.toMatchObject({
      type: 'UnknownSchedule',
      message: 'the server has no schedule prod/quarterly',
    });
  });

  test('needs a rotate.yaml without mistakes, and the server', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'rotate-nowhere-'));
    for (const command of ['schedule apply --yes --json', 'schedule list --json']) {
      const nowhere = await here(command, { cwd: empty });
      expectOutput(nowhere.stdout, 'error');
      expect(nowhere).toMatchObject({ code: 2, stderr: expect.stringContaining('no rotate.yaml in') });
      declare([quarterly.replace('[1]', '[32]')]);
      const wrong = await here(command);
      expectOutput(wrong.stdout, 'error');
      expect(wrong).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('schedules.quarterly.calendar.dates'),
      });
    }
    rmSync(empty, { recursive: true });
    declare([quarterly]);
    const env = { ...fleet.env, TEMPORAL_ADDRESS: '127.0.0.1:1' };
    const commands = ['apply --yes --json', 'list --json', 'pause quarterly --json'];
    const ended = await Promise.all(commands.map((command) => here(`schedule ${command}`, { env })));
    for (const away of ended) {
      expectOutput(away.stdout, 'error');
      expect(away).toMatchObject({
        code: 4,
        stderr: expect.stringContaining(
          'cannot reach Temporal at 127.0.0.1:1: connection refused (ECONNREFUSED)',
        ),
      });
    }
  });
});

function inputsOf({ action }: ScheduleDescription): readonly object[] {
  return action.args ?? [];
}

/** Nothing but the environment `test`. */
function withoutProd(text: string): string {
  const [head = '', rest = ''] = text.split('secrets:\n  prod:\n');
  const db = /    db-password: &db\n(?:      .*\n)*/.exec(rest)?.[0] ?? '';
  return `${head.replace(/  prod: .*\n|  web-\d: .*\n/g, '')}secrets:\n  test:\n${db
    .replace('db-password: &db', 'api-key:')
    .replaceAll('secrets/prod/db-password', 'secrets/test/api-key')
    .replace('["@web"]', '[test-vm]')}`;
}

describe('the server has a schedule as rotate.yaml says', () => {
  /** When it looks next, by the clock of `zone`. */
  function clocks({ info }: ScheduleDescription, zone: string): string[] {
    return info.nextActionTimes.map((time) => clockText(zone, time.getTime()));
  }

  test('what is started, and what becomes of looks that overlap or come late', async () => {
    await apply([quarterly]);
    const found = await described('due/prod/quarterly');
    expect(found).toMatchObject({
      action: {
        type: 'startWorkflow',
        workflowType: 'due',
        workflowId: 'due/prod/quarterly',
        taskQueue: 'rotate',
      },
      policies: { overlap: 'SKIP', catchupWindow: hour, pauseOnFailure: false },
      state: { paused: false },
    });
    expect(found.action.args).toEqual([
      {
        environment: 'prod',
        schedule: 'quarterly',
        since: expect.stringMatching(/^20.*Z$/),
        declared: (await declared())[0],
      },
    ]);
    const payload = found.raw.schedule?.action?.startWorkflow?.input?.payloads?.[0];
    expect(payload?.data?.length).toBeGreaterThan(0);
    for (const bytes of [payload?.data, ...Object.values(payload?.metadata ?? {})])
      expect(Buffer.from(bytes ?? []).toString('latin1')).not.toMatch(/db-password|api-key/);
  });

  test('a calendar keeps its time of day through summer and winter, and looks once more an hour later', async () => {
    await apply([quarterly]);
    const found = await described('due/prod/quarterly');
    expect(found.spec.timezone).toBe('Europe/Berlin');
    const looks = clocks(found, 'Europe/Berlin');
    expect(looks).toHaveLength(10);
    for (const look of looks) expect(look).toMatch(/^20\d\d-0[17]-01 0[23]:30:00$/);
    const utc = clocks(found, 'UTC').map((look) => look.slice(5));
    expect(new Set(utc)).toEqual(
      new Set(['01-01 01:30:00', '01-01 02:30:00', '07-01 00:30:00', '07-01 01:30:00']),
    );
  });

  const lastSundays = 'dates: [25, 26, 27, 28, 29, 30, 31], days: [sun]';

  test.each([
    ['put forward', 3, ''],
    ['put forward, with jitter', 3, ', jitter: 90m'],
    ['put back', 10, ''],
    ['put back, with jitter', 10, ', jitter: 90m'],
  ])('a calendar at a time when clocks are %s looks while it is open', async (_, month, jitter) => {
    const calendar = `{ months: [${month}], ${lastSundays}, at: "02:30", zone: Europe/Berlin }`;
    await apply([`change: { environment: prod, calendar: ${calendar}${jitter} }`]);
    const { info } = await described('due/prod/change');
    const looks = info.nextActionTimes.map((time) => time.getTime());
    const [schedule] = await declared();
    const openings = schedule === undefined ? undefined : openingsOf(schedule);
    let count = 0;
    for (let at = looks[0] ?? 0; ; count += 1) {
      const opening = openings?.at(at);
      if (opening === undefined || opening.to > (looks.at(-1) ?? 0)) break;
      expect(looks.filter((look) => look >= opening.from && look < opening.to)).not.toEqual([]);
      at = opening.to;
    }
    expect(count).toBeGreaterThan(2);
  });

  test('a window is looked at hourly while it is open, by its own clock, also over midnight', async () => {
    await apply([
      'nights: { environment: prod, every: 90d, window: { days: [sat, sun], from: "22:30", to: "02:00", zone: Asia/Kathmandu } }',
    ]);
    const found = await described('due/prod/nights');
    expect(found.spec.timezone).toBe('Asia/Kathmandu');
    const looks = clocks(found, 'Asia/Kathmandu');
    expect(looks).toHaveLength(10);
    const weekday = (look: string): number => new Date(look.slice(0, 10)).getUTCDay();
    expect(new Set(looks.map((look) => `${weekday(look)} ${look.slice(11)}`))).toEqual(
      new Set(
        ['6 22:30', '6 23:30', '0 00:30', '0 01:30', '0 22:30', '0 23:30', '1 00:30', '1 01:30'].map(
          (time) => `${time}:00`,
        ),
      ),
    );
  });

  test('without a window it is looked at every hour, put off by the jitter at most', async () => {
    await apply(['often: { environment: prod, every: 90d, jitter: 10m }']);
    const found = await described('due/prod/often');
    expect(found.spec).toMatchObject({ intervals: [{ every: hour, offset: 0 }], jitter: 600_000 });
    const looks = found.info.nextActionTimes.map((time) => time.getTime());
    const hours = looks.map((look) => Math.floor(look / hour));
    expect(hours).toEqual(hours.map((_, i) => (hours[0] ?? 0) + i));
    for (const look of looks) expect(look % hour).toBeLessThanOrEqual(600_000);
    expect(new Set(looks.map((look) => look % hour)).size).toBeGreaterThan(1);
  });

  test('also after it was changed from a window to a calendar', async () => {
    await apply([calm]);
    expect(clocks(await described('due/prod/calm'), 'Europe/Berlin')[0]).toMatch(/ 0[1-4]:00:00$/);
    await apply(['calm: { environment: prod, calendar: { dates: [15], at: "12:00", zone: UTC } }']);
    const found = await described('due/prod/calm');
    expect(found.policies).toMatchObject({ overlap: 'SKIP', catchupWindow: hour });
    for (const look of clocks(found, 'UTC')) expect(look).toMatch(/-15 1[23]:00:00$/);
  });
});

const nothing: Assessment = { declared: true, batches: [], people: [], unplanned: [] };

/** What the worker finds when a schedule looks. */
function finds(assessment: Partial<Assessment>): void {
  fleet.answers.assess = async () => ({ ...nothing, ...assessment });
}

function verdict(secret: Partial<DueVerdict['secrets'][number]>, gate: DueVerdict['gate']): DueVerdict {
  const told = { name: 'db-password', state: 'due' as const, missed: 0, reason: 'is due', ...secret };
  return {
    schedule: 'quarterly',
    environment: 'prod',
    at: '2026-11-25T12:00:00Z',
    gate,
    start: told.state === 'due' && gate.state === 'open' ? [told.name] : [],
    secrets: [told],
  };
}

/** Lets it look, and waits until it has. */
async function letLook(name: string): Promise<void> {
  expect((await here(`schedule trigger ${name}`)).code).toBe(0);
  await expect
    .poll(async () => (await listed(name))['last'])
    .toMatchObject({ outcome: expect.not.stringMatching(/^looking$/) });
}

const frozen = { state: 'frozen', until: '2027-01-07T00:00:00Z' } as const;

describe('rotate schedule list', () => {
  test('tells what is applied, changed, not applied and not declared', async () => {
    await apply([quarterly, calm, yearly]);
    declare([quarterly, calm.replace('90d', '30d'), 'new: { environment: test, every: 7d }']);
    const { code, stdout, stderr } = await here('schedule list');
    expect(stdout.replaceAll(/20[\d-]+T[\d:]+Z/g, 'TIME')).toBe(
      `SCHEDULE        STATE        RHYTHM                                        SECRETS               NEXT LOOK             LAST LOOK
prod/calm       changed      every 30d, mon-sun 01:00-05:00 Europe/Berlin  db-password           TIME  never
prod/quarterly  applied      day 1 of month 1, 7 at 02:30 Europe/Berlin    api-key, db-password  TIME  never
test/new        not-applied  every 7d                                      api-key                                     never
test/yearly     undeclared   day 1 of month 1 at 04:00 UTC                 api-key               TIME  never
`,
    );
    expect(stderr).toBe(
      'rotate: hint: `rotate schedule apply` makes the server have what rotate.yaml declares\n',
    );
    expect(code).toBe(0);
    const json = await here('schedule list --json');
    expectOutput(json.stdout, 'scheduleList');
    const { info } = await described('due/prod/quarterly');
    expect(JSON.parse(json.stdout)).toEqual([
      expect.objectContaining({ environment: 'prod', name: 'calm', state: 'changed' }),
      {
        environment: 'prod',
        name: 'quarterly',
        state: 'applied',
        paused: false,
        rhythm: quarterlyWords,
        secrets: ['api-key', 'db-password'],
        looks: info.nextActionTimes.slice(0, 3).map((time) => time.toISOString()),
      },
      {
        environment: 'test',
        name: 'new',
        state: 'not-applied',
        paused: false,
        rhythm: 'every 7d',
        secrets: ['api-key'],
        looks: [],
      },
      expect.objectContaining({
        environment: 'test',
        name: 'yearly',
        state: 'undeclared',
        rhythm: 'day 1 of month 1 at 04:00 UTC',
      }),
    ]);
    const ofTest = await here('schedule list --json --env test');
    expect(JSON.parse(ofTest.stdout).map((s: { name: string }) => s.name)).toEqual(['new', 'yearly']);
  });

  test('says that there are none', async () => {
    expect(await here('schedule list')).toEqual({ code: 0, stdout: '', stderr: 'rotate: no schedules\n' });
  });

  test('tells what came of the last look, and what it could not start', async () => {
    await apply([quarterly]);
    finds({ verdict: verdict({ reason: 'due since Monday, and frozen' }, frozen) });
    await letLook('prod/quarterly');
    expect(await listed('prod/quarterly')).toMatchObject({
      last: {
        at: expect.stringMatching(/^20.*Z$/),
        outcome: 'frozen',
        started: [],
        told: ['db-password: due since Monday, and frozen'],
      },
    });
    const { stdout, stderr } = await here('schedule list');
    expect(stdout).toMatch(/  20[\d-]+T\d\d:\d\d:\d\dZ: frozen\n$/);
    expect(stderr).toBe('rotate: prod/quarterly: db-password: due since Monday, and frozen\n');
    finds({ verdict: verdict({ state: 'not-due' }, { state: 'open' }) });
    await letLook('prod/quarterly');
    await expect
      .poll(async () => (await listed('prod/quarterly'))['last'])
      .toMatchObject({ outcome: 'nothing-due', told: [] });
  });

  test('tells that a look failed, with why', async () => {
    await apply([quarterly]);
    fleet.troubles.assess = trouble('GitAuthFailed', 'the remote refuses us');
    await letLook('prod/quarterly');
    expect(await listed('prod/quarterly')).toMatchObject({
      last: { outcome: 'failed', told: ['the schedule could not look: the remote refuses us'] },
    });
  });

  test('tells of a look that was terminated that it failed', async () => {
    await apply([quarterly]);
    fleet.held.add('assess');
    await here('schedule trigger quarterly');
    await expect
      .poll(async () => (await listed('prod/quarterly'))['last'])
      .toMatchObject({ outcome: 'looking' });
    const [looking] = (await described('due/prod/quarterly')).info.runningActions;
    await connection.client.workflow
      .getHandle(looking?.workflow.workflowId ?? '')
      .terminate('out of the way');
    expect(await listed('prod/quarterly')).toMatchObject({ last: { outcome: 'failed', started: [] } });
  });

  test('tells which rotations it has started, and how far they are', async () => {
    await apply([quarterly]);
    fleet.held.add('build');
    finds({
      verdict: verdict({}, { state: 'open' }),
      batches: [{ plan: makePlan('prod', ['db-password']), digest: 'd'.repeat(64) }],
      why: 'policy',
    });
    await letLook('prod/quarterly');
    const running = await listed('prod/quarterly');
    expect(running).toMatchObject({
      last: { outcome: 'started', started: [{ secrets: ['db-password'], state: 'running' }] },
    });
    const [{ id } = { id: '' }] = started(running);
    expect((await here('schedule list')).stdout).toContain(`: ${id} running\n`);
    expect(JSON.parse((await here(`status ${id} --json`)).stdout)).toMatchObject({
      environment: 'prod',
      secrets: ['db-password'],
      by: 'schedule quarterly',
    });
    fleet.held.clear();
    await expect
      .poll(async () => (await listed('prod/quarterly'))['last'])
      .toMatchObject({ started: [{ id, state: 'done' }] });
    expect((await here('schedule list')).stdout).toContain(`: ${id} done\n`);
  });

  test('says of a look that Temporal has forgotten that it has', async () => {
    await apply([quarterly]);
    await letLook('prod/quarterly');
    const { client, endpoint } = connection;
    const [look] = (await described('due/prod/quarterly')).info.recentActions;
    await client.workflowService.deleteWorkflowExecution({
      namespace: endpoint.namespace,
      workflowExecution: { workflowId: look?.action.workflow.workflowId ?? '' },
    });
    await expect
      .poll(async () => (await listed('prod/quarterly'))['last'])
      .toEqual({ at: expect.stringMatching(/^20.*Z$/), outcome: 'forgotten' });
    expect((await here('schedule list')).stdout).toMatch(/Z: Temporal has forgotten it\n$/);
  });

  test('knows without a worker what came of a look that is through, and of one under way only its time', async () => {
    await apply([quarterly, yearly]);
    finds({ verdict: verdict({ state: 'not-due' }, { state: 'open' }) });
    await letLook('prod/quarterly');
    await worker.stop();
    await here('schedule trigger yearly');
    try {
      await expect.poll(async () => (await described('due/test/yearly')).info.recentActions).toHaveLength(1);
      const { stdout } = await here('schedule list --json');
      expectOutput(stdout, 'scheduleList');
      expect(JSON.parse(stdout)).toMatchObject([
        { name: 'quarterly', last: { outcome: 'nothing-due' } },
        { name: 'yearly', last: { at: expect.stringMatching(/^20.*Z$/) } },
      ]);
      expect(JSON.parse(stdout)[1].last).not.toHaveProperty('outcome');
      expect((await here('schedule list --env test')).stdout).toMatch(/Z: no worker tells\n$/);
    } finally {
      worker = await fleet.startWorker();
    }
    await expect
      .poll(async () => (await listed('test/yearly'))['last'])
      .toMatchObject({ outcome: 'nothing-due' });
  });
});

function started({ last }: Record<string, unknown>): { id: string }[] {
  const { started: parts = [] } = (last ?? {}) as { started?: { id: string }[] };
  return parts;
}

describe('a schedule', () => {
  test('is paused, with who and why, and resumed', async () => {
    await apply([quarterly]);
    const paused = await here(['schedule', 'pause', 'quarterly', '--reason', 'a migration']);
    expect(paused).toEqual({ code: 0, stdout: 'prod/quarterly is paused\n', stderr: '' });
    expect(await listed('prod/quarterly')).toMatchObject({
      state: 'applied',
      paused: true,
      note: expect.stringMatching(/^a migration, by .+@.+$/),
      looks: [],
    });
    const { stdout } = await here('schedule list');
    expect(stdout).toMatch(/^prod\/quarterly {2}paused \(a migration, by .+@[^ ]+\) {2}day 1/m);
    const resumed = await here('schedule resume prod/quarterly --json');
    expectOutput(resumed.stdout, 'scheduleSaid');
    expect(JSON.parse(resumed.stdout)).toEqual({ environment: 'prod', name: 'quarterly', said: 'resume' });
    const after = await listed('prod/quarterly');
    expect(after).toMatchObject({ paused: false, looks: expect.arrayContaining([expect.any(String)]) });
    expect(after).not.toHaveProperty('note');
    await here('schedule pause quarterly --json');
    expect(await listed('prod/quarterly')).toMatchObject({ note: expect.stringMatching(/^by .+@.+$/) });
  });

  test('looks now, also while it is paused, with what it was made with', async () => {
    await apply([quarterly]);
    await here('schedule pause quarterly');
    const looked = new Promise((resolve) => {
      fleet.answers.assess = async (input) => {
        resolve(input);
        return nothing;
      };
    });
    const { code, stdout, stderr } = await here('schedule trigger quarterly');
    expect(stdout).toBe('prod/quarterly looks now\n');
    expect(stderr).toBe('rotate: hint: `rotate schedule list` shows what came of it\n');
    expect(code).toBe(0);
    expect(await looked).toMatchObject({
      environment: 'prod',
      schedule: 'quarterly',
      since: expect.stringMatching(/^20.*Z$/),
    });
  });

  test('that looks already looks again when it has ended, and not beside that', async () => {
    await apply([quarterly]);
    let looks = 0;
    fleet.answers.assess = async () => {
      looks += 1;
      return { ...nothing, verdict: verdict({ state: 'not-due' }, { state: 'open' }) };
    };
    fleet.held.add('assess');
    await here('schedule trigger quarterly');
    await expect
      .poll(async () => (await listed('prod/quarterly'))['last'])
      .toMatchObject({ outcome: 'looking' });
    const { code, stderr } = await here('schedule trigger quarterly');
    expect(stderr).toContain('rotate: a look is under way: the next one follows when it has ended\n');
    expect(code).toBe(0);
    const { info } = await described('due/prod/quarterly');
    expect([info.numActionsTaken, looks]).toEqual([1, 0]);
    fleet.held.clear();
    await expect.poll(async () => (await described('due/prod/quarterly')).info.numActionsTaken).toBe(2);
    await expect.poll(() => looks).toBe(2);
  });

  test('is deleted, whether it is declared or not, and made again when it is', async () => {
    await apply([quarterly, yearly]);
    declare([quarterly]);
    expect(await here('schedule delete yearly')).toEqual({
      code: 0,
      stdout: 'test/yearly is removed from the server\n',
      stderr: '',
    });
    const { stdout, code } = await here('schedule delete quarterly --json');
    expectOutput(stdout, 'scheduleSaid');
    expect([code, JSON.parse(stdout).said]).toEqual([0, 'delete']);
    expect(await listed('prod/quarterly')).toMatchObject({ state: 'not-applied' });
    await expect.poll(ids).toEqual([]);
    expect((await here('schedule apply --yes')).stdout).toMatch(/^\+ prod\/quarterly /);
  });

  test('that is declared, and that the server does not have, is told as that', async () => {
    declare([quarterly]);
    for (const said of ['pause', 'resume', 'trigger', 'delete']) {
      const { code, stdout, stderr } = await here(`schedule ${said} quarterly --json`);
      expectOutput(stdout, 'error');
      expect(JSON.parse(stdout).error).toMatchObject({
        type: 'UnknownSchedule',
        message: 'the server has no schedule prod/quarterly',
      });
      expect(stderr).toContain('`rotate schedule apply` makes what rotate.yaml declares');
      expect(code).toBe(2);
    }
  });

  test('that nobody knows may be meant as another', async () => {
    declare([quarterly, yearly]);
    expect(await here('schedule pause quartrly')).toEqual({
      code: 2,
      stdout: '',
      stderr:
        'rotate: error: unknown schedule `quartrly`, did you mean `quarterly`?\n' +
        'rotate: hint: schedules: prod/quarterly, test/yearly\n',
    });
    expect(await here('schedule pause prod/quartely')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('unknown schedule `prod/quartely`, did you mean `prod/quarterly`?'),
    });
    expect(await here('schedule pause prod/yearly')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('hint: schedules: prod/quarterly, test/yearly'),
    });
    expect(await here('schedule pause yearly --env prod')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('unknown schedule `yearly`'),
    });
    declare();
    expect(await here('schedule pause quarterly')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('hint: declare one in rotate.yaml, under `schedules`'),
    });
  });

  test('of a name that two environments have needs the environment', async () => {
    await apply([quarterly]);
    declare([quarterly.replace('prod', 'test')]);
    expect(await here('schedule trigger quarterly')).toEqual({
      code: 2,
      stdout: '',
      stderr:
        'rotate: error: `quarterly` may be prod/quarterly or test/quarterly\n' +
        'rotate: hint: name the environment too, e.g. `prod/quarterly`\n',
    });
    expect(await here('schedule pause quarterly --env prod')).toMatchObject({
      code: 0,
      stdout: 'prod/quarterly is paused\n',
    });
    expect(await here('schedule resume prod/quarterly')).toMatchObject({ code: 0 });
    expect(await listed('prod/quarterly')).toMatchObject({ state: 'undeclared', paused: false });
  });

  test('can be paused from anywhere, and while rotate.yaml has mistakes', async () => {
    await apply([quarterly]);
    const empty = mkdtempSync(join(tmpdir(), 'rotate-nowhere-'));
    expect(await here('schedule pause quarterly', { cwd: empty })).toEqual({
      code: 0,
      stdout: 'prod/quarterly is paused\n',
      stderr: '',
    });
    rmSync(empty, { recursive: true });
    declare([quarterly.replace('[1]', '[32]')]);
    expect(await here('schedule resume quarterly')).toEqual({
      code: 0,
      stdout: 'prod/quarterly goes on\n',
      stderr: 'rotate: rotate.yaml has mistakes: only the schedules of the server are known\n',
    });
  });
});
