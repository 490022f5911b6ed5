/** Secrets chosen by tag, environment or age, and values that a person brings; see fleet.ts for what is real here. */
import { generateIdentity } from 'age-encryption';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { makeSealer, type Sealer } from '../../codec/seal.js';
import { decodeCredential } from '../../domain/credential-form.js';
import type { DigestedPlan } from '../../domain/plan.js';
import { makePlan, startTestFleet, trouble, type TestFleet } from './fleet.js';
import { expectOutput } from './schema.js';
import { rotate, type Ended, type World } from './world.js';

let fleet: TestFleet;
let sealer: Sealer;

beforeAll(async () => {
  fleet = await startTestFleet();
  await fleet.startWorker();
  sealer = await makeSealer([await generateIdentity()]);
}, 120_000);
afterAll(() => fleet?.stop(), 60_000);
beforeEach(() => {
  fleet.held.clear();
  for (const each of [fleet.troubles, fleet.answers])
    for (const name of Object.keys(each)) Reflect.deleteProperty(each, name);
});

function here(args: string, world: Partial<World> = {}): Promise<Ended> {
  return rotate(args.split(' '), { cwd: fleet.repo, env: fleet.env, ...world });
}

function planned(environment: string, ...secrets: string[]): DigestedPlan {
  return { plan: makePlan(environment, secrets), digest: 'd'.repeat(64) };
}

/** Of secrets whose value a person brings. */
function forPerson(environment: string, ...secrets: string[]): DigestedPlan {
  const { plan, digest } = planned(environment, ...secrets);
  const [sealTo] = sealer.recipients;
  return {
    plan: {
      ...plan,
      secrets: plan.secrets.map((s) => ({ ...s, kind: 'manual', source: 'person' as const })),
    },
    digest,
    ...(sealTo === undefined ? {} : { sealTo }),
  };
}

/** The next selection comes to these; what was asked for is kept. */
function select(plans: DigestedPlan[], leftOut: string[] = []): unknown[] {
  const asked: unknown[] = [];
  fleet.answers.makePlans = async (request) => {
    asked.push(request);
    return { plans, leftOut };
  };
  return asked;
}

async function untilDone(id: string): Promise<void> {
  await expect
    .poll(async () => (await listed()).find((each) => each.id === id)?.state, { timeout: 30_000 })
    .toBe('done');
}

async function listed(): Promise<{ id: string; state: string; secrets: string[] }[]> {
  return JSON.parse((await here('status --json')).stdout);
}

describe('a selection', () => {
  test.each([
    ['plan --env prod', { environment: 'prod' }],
    ['plan --tag web --tag db', { tags: ['web', 'db'] }],
    ['plan --due --env test', { environment: 'test', due: true }],
    ['start --tag web --yes --detach', { tags: ['web'] }],
  ])('`rotate %s` asks the worker for it', async (args, expected) => {
    const asked = select([planned('prod', 'db-password')]);
    const { code, stdout } = await here(args);
    expect(code).toBe(0);
    expect(asked).toEqual([expected]);
    if (args.includes('--detach')) await untilDone(stdout.trim());
  });

  test.each([
    ['plan', 'nothing says which secrets are meant'],
    ['start --yes', 'nothing says which secrets are meant'],
    ['plan db-password --tag web', 'names and --tag exclude each other'],
    ['start db-password --due --yes', 'names and --due exclude each other'],
  ])('`rotate %s` is refused', async (args, message) => {
    const { code, stderr } = await here(args);
    expect(stderr).toContain(`rotate: error: ${message}\nrotate: hint: `);
    expect(code).toBe(2);
  });

  test('says what is left out, and that nothing is left', async () => {
    select([], ['prod/db-password is due and left out: its rotation 01J waits for a person']);
    expect(await here('start --due --yes')).toEqual({
      code: 0,
      stdout: '',
      stderr:
        'rotate: prod/db-password is due and left out: its rotation 01J waits for a person\nrotate: nothing is due that can be started\n',
    });
    for (const args of ['start --due --yes --json', 'plan --due --json']) {
      const { code, stdout } = await here(args);
      expect([code, JSON.parse(stdout)]).toEqual([0, []]);
    }
  });

  test('is shown as several rotations, and as an array in JSON', async () => {
    select([planned('prod', 'db-password'), planned('prod', 'api-key')]);
    const { stdout } = await here('plan --env prod');
    expect(stdout).toMatch(/^rotation 1 of 2\n\nprod\/db-password\n/);
    expect(stdout).toContain('\nrotation 2 of 2\n\nprod/api-key\n');
    const json = await here('plan --env prod --json');
    expectOutput(json.stdout, 'planList');
    expect(JSON.parse(json.stdout)).toHaveLength(2);
  });

  test('that is one batch is one rotation', async () => {
    select([planned('prod', 'db-password', 'api-key')]);
    const { code, stdout } = await here('start --env prod --yes --json');
    expectOutput(stdout, 'rotationList');
    expect(JSON.parse(stdout)).toMatchObject([{ state: 'done', secrets: ['db-password', 'api-key'] }]);
    expect(code).toBe(0);
  });

  test('that is several follows one after the other', async () => {
    select([planned('prod', 'db-password'), planned('test', 'api-key')]);
    const { code, stdout, stderr } = await here('start --due', {
      terminal: { columns: 80 },
      typed: ['y'],
    });
    expect(stderr).toContain('Rotate 2 secrets on 2 hosts, in 2 rotations? [y/N] ');
    expect(stderr).toMatch(/rotation [0-9A-Z]{26}, 1 of 2\n[^]*rotation [0-9A-Z]{26}, 2 of 2\n/);
    expect(stdout).toContain('prod/db-password is rotated, and the old value is proven dead\n');
    expect(stdout).toContain('test/api-key is rotated, and the old value is proven dead\n');
    expect(code).toBe(0);
  });

  test('prints the status of each as JSON', async () => {
    select([planned('prod', 'db-password'), planned('test', 'api-key')]);
    const { code, stdout } = await here('start --due --yes --json --reason spring');
    expectOutput(stdout, 'rotationList');
    expect(JSON.parse(stdout)).toMatchObject([
      { state: 'done', environment: 'prod', secrets: ['db-password'] },
      { state: 'done', environment: 'test', secrets: ['api-key'] },
    ]);
    expect(code).toBe(0);
  });

  test('ends with the first that fails', async () => {
    select([planned('prod', 'db-password'), planned('test', 'api-key')]);
    fleet.troubles.merge = trouble('GitRefused', 'main is protected');
    const { code, stdout, stderr } = await here('start --due --yes --json');
    expect(JSON.parse(stdout)).toMatchObject([{ state: 'rolled-back' }]);
    expect(stderr).toContain('rotate: the one behind it will not be started\n');
    expect(code).toBe(1);
  });

  test('waits for the one that asks for a person', async () => {
    select([planned('prod', 'db-password'), planned('test', 'api-key')]);
    fleet.troubles.checkUsers = trouble('IssuerAuthFailed', 'db-1:5432 refuses app-admin');
    const { code, stdout, stderr } = await here('start --due --yes --json');
    expect(stderr).toContain('rotate: the one behind it will start when it is done\n');
    expect(code).toBe(3);
    const [{ id }] = JSON.parse(stdout);
    const before = (await listed()).map((each) => each.id);
    Reflect.deleteProperty(fleet.troubles, 'checkUsers');
    expect(await here(`retry ${id} --watch`)).toMatchObject({ code: 0 });
    await expect
      .poll(async () => (await listed()).find((each) => !before.includes(each.id)), { timeout: 30_000 })
      .toMatchObject({ secrets: ['api-key'], state: 'done' });
  });

  test('prints the ids alone with --detach, in their order', async () => {
    select([planned('prod', 'db-password'), planned('test', 'api-key')]);
    const { code, stdout } = await here('start --due --yes --detach --json');
    expectOutput(stdout, 'detachedList');
    expect(code).toBe(0);
    const ids = JSON.parse(stdout).map((each: { id: string }) => each.id);
    for (const id of ids) await untilDone(id);
  });
});

describe('a value that a person brings', () => {
  /** What the worker is handed, opened as it would do. */
  function generated(): string[] {
    const values: string[] = [];
    fleet.answers.generate = async ({ brought }) => {
      if (brought === undefined) throw trouble('Usage', 'nothing was brought');
      values.push(decodeCredential(await sealer.open(brought))?.value.text() ?? '');
      return { fresh: 'sealed-fresh' };
    };
    return values;
  }

  function forApiKey(): void {
    fleet.answers.makePlan = async () => forPerson('prod', 'api-key');
  }

  test.each([
    ['as it is', 's3cr3t', 's3cr3t'],
    ['without the line end', 's3cr3t\n', 's3cr3t'],
    ['without the line end of Windows', 's3cr3t\r\n', 's3cr3t'],
    ['with all but the last line end', ' a\nb\n\n', ' a\nb\n'],
  ])('comes from standard input, %s', async (_, piped, expected) => {
    forApiKey();
    const values = generated();
    const { code, stdout, stderr } = await here('start prod/api-key --value-stdin --yes --json', { piped });
    expect(code).toBe(0);
    expect(values).toEqual([expected]);
    expect(stdout + stderr).not.toContain(expected.trim());
  });

  test('is asked for twice on a terminal, and not shown', async () => {
    forApiKey();
    const values = generated();
    const { code, stdout, stderr } = await here('start prod/api-key --no-color', {
      terminal: { columns: 80 },
      typed: ['y', 'one', 'other', 's3cr3t', 's3cr3t'],
    });
    expect(code).toBe(0);
    expect(values).toEqual(['s3cr3t']);
    expect(stderr).toContain(
      '? [y/N] New value of prod/api-key: \nAgain: \nrotate: the two are not the same; once more\nNew value of prod/api-key: \nAgain: \n',
    );
    expect(stdout + stderr).not.toContain('s3cr3t');
  });

  test('is asked for of each secret of a batch', async () => {
    select([forPerson('prod', 'api-key', 'smtp')]);
    const values = generated();
    const { code } = await here('start --env prod --yes', {
      terminal: { columns: 80 },
      typed: ['a', 'a', 'b', 'b'],
    });
    expect(code).toBe(0);
    expect(values.toSorted()).toEqual(['a', 'b']);
  });

  test('leaves the recipient out of what is shown and kept', async () => {
    forApiKey();
    const { stdout } = await here('plan prod/api-key --json');
    expectOutput(stdout, 'plan');
    expect(stdout).not.toContain(sealer.recipients[0]);
  });

  test.each([
    ['empty', '', 'standard input is empty: there is no value for prod/api-key'],
    ['a line end alone', '\n', 'standard input is empty: there is no value for prod/api-key'],
  ])('is refused when it is %s', async (_, piped, message) => {
    forApiKey();
    const { code, stderr } = await here('start prod/api-key --value-stdin --yes', { piped });
    expect(stderr).toContain(`rotate: error: ${message}\nrotate: hint: pipe the value in`);
    expect(code).toBe(2);
  });

  test('is needed', async () => {
    forApiKey();
    expect(await here('start prod/api-key --yes')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(
        'a person has to bring the value of prod/api-key\nrotate: hint: give it',
      ),
    });
    // The end of the input in place of a value.
    expect(await here('start prod/api-key --yes', { terminal: { columns: 80 }, typed: [] })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('the input ended before the value of prod/api-key was given'),
    });
  });

  test('goes to one secret that takes it', async () => {
    expect(await here('start db-password --value-stdin --yes', { piped: 'x' })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(
        '--value-stdin brings a value, and prod/db-password takes none from a person',
      ),
    });
    select([forPerson('prod', 'api-key', 'smtp')]);
    expect(await here('start --env prod --value-stdin --yes', { piped: 'x' })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(
        '--value-stdin is one value, and prod/api-key, prod/smtp each need one',
      ),
    });
    expect(await here('start prod/api-key --value-stdin', { piped: 'x' })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('standard input carries the value, so that --yes is needed'),
    });
    forApiKey();
    expect(await here('start prod/api-key --value-stdin --yes', { terminal: { columns: 80 } })).toMatchObject(
      {
        code: 2,
        stderr: expect.stringContaining('--value-stdin reads a pipe or a file, and this is a terminal'),
      },
    );
  });

  test('needs a worker that says for whom to seal', async () => {
    fleet.answers.makePlan = async () => {
      const { plan, digest } = forPerson('prod', 'api-key');
      return { plan, digest };
    };
    expect(await here('start prod/api-key --value-stdin --yes', { piped: 'x' })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('the worker does not say for whom to seal the value'),
    });
  });
});
