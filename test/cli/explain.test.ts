/** `rotate explain`: what rotate.yaml, the log branch and a worker say of a secret. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { explainSecret } from '../../cli/explain/explain-secret.js';
import { generateCodecKey } from '../../codec/keyring.js';
import { kindRegistry } from '../../config/registries.js';
import { parseRotateYaml } from '../../config/rotate-yaml.js';
import { resolveSecret } from '../../config/resolve-names.js';
import { RotateError } from '../../domain/failure.js';
import { makeRepo, startTestFleet, type TestFleet } from './fleet.js';
import { pushLog, record } from './log-branch.js';
import { expectOutput } from './schema.js';
import { rotate, type Ended, type World } from './world.js';

let folder: string;
let repo: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rotate-explain-'));
  repo = makeRepo(folder);
});
afterEach(() => rmSync(folder, { recursive: true }));

function here(args: string, world: Partial<World> = {}): Promise<Ended> {
  return rotate(args.split(' '), { cwd: repo, ...world });
}

/** One of each shape. */
const everyKind = `version: 1
environments:
  prod: { store: agenix, rules: secrets/prod/secrets.nix }
hosts:
  db-1: { environment: prod }
  web-1: { environment: prod, tags: [web] }
  web-2: { environment: prod, tags: [web] }
secrets:
  prod:
    dual:
      kind: postgres
      file: secrets/prod/dual.age
      format: { env: DATABASE_URL, template: "postgresql://{role}:{password}@db-1:5432/app" }
      tags: [database]
      after: [token]
      postgres: { roles: [app_a, app_b], owner: app, database: app, admin: { host: db-1, as: postgres }, endpoints: ["db-1:5432"] }
      consumers:
        - { hosts: ["@web"], units: [app.service, jobs.service] }
        - { hosts: [web-1], units: [cron.service], action: none }
      verify:
        - { http: "http://127.0.0.1:8080/health" }
        - { command: [app-check, --deep] }
      maxAge: 90d
    swap:
      kind: postgres
      file: secrets/prod/swap.age
      postgres: { roles: [app], database: app, admin: { login: x }, endpoints: ["db-1:5432"] }
    token:
      kind: token
      file: secrets/prod/app.age
      format: { env: SESSION_SECRET }
      token: { hex: 32 }
      consumers: [{ hosts: [web-1], units: [app.service] }]
    tokens:
      kind: token
      file: secrets/prod/app.age
      format: { env: SESSION_SECRETS, list: "," }
      token: { hex: 32, keepOld: 7d }
    manual:
      kind: manual
      file: secrets/prod/manual.age
      manual:
        overlap: dual
        revoke:
          checklist: |
            open the console
            delete the older key
      consumers: [{ hosts: [web-1], units: [app.service] }]
    http:
      kind: http
      file: secrets/prod/http.age
      format: { json: mail.key, template: "{role}:{password}" }
      http:
        base: https://api.vendor.example/v1
        auth: { login: x, headers: { authorization: "Bearer {admin}" } }
        list: { get: /keys, ids: /data/*/id }
        create: { post: /keys, value: /secret, id: /id }
        check: { get: /whoami, headers: { authorization: "Bearer {value}" } }
        delete: { delete: "/keys/{id}" }
policies:
  careful: { canary: [web-1], soak: 1h }
schedules:
  quarterly:
    environment: prod
    secrets: [dual]
    every: 90d
    window: { days: [mon, tue], from: "01:00", to: "05:00", zone: Europe/Berlin }
  never-for-this: { environment: prod, secrets: [swap], every: 90d }
`;

describe('rotate explain', () => {
  test('says what a secret is, where it is used, how it is rotated and killed, and what to type', async () => {
    writeFileSync(join(repo, 'rotate.yaml'), everyKind);
    pushLog(folder, [
      record('01JDH00000000000000000000A', 'prod', 'dual', { why: 'quarterly' }),
      record('01JDH00000000000000000000B', 'prod', 'dual', {
        state: 'failed',
        reason: { type: 'Interrupted', message: 'alice has aborted it' },
      }),
    ]);
    const { code, stdout, stderr } = await here('explain dual --env prod');
    expect(code).toBe(0);
    const [, ...sections] = stdout.split(/^(?=\S)/m);
    expect(sections.map((section) => section.split('\n', 1)[0])).toEqual([
      'what',
      'where',
      'rotated',
      'killed',
      'when',
      'history',
      'commands',
    ]);
    expect(stdout).toContain(`prod/dual
  a password that applications log in to PostgreSQL with

what
  kind        postgres
  file        secrets/prod/dual.age, agenix
  format      variable DATABASE_URL of an environment file; as
              postgresql://{role}:{password}@db-1:5432/app
  tags        database
  after       token, which is rotated first
  policy      careful

where
  web-1       restart app.service, restart jobs.service, cron.service (left alone)
  web-2       restart app.service, restart jobs.service
  endpoint    db-1:5432
  probe       http://127.0.0.1:8080/health answers 200
              app-check --deep exits with 0

rotated
  - the worker makes the new value: give the other role a new password and LOGIN; the role in use
    stays as it is
  - dual: old and new are valid at once, so no login fails while hosts change
  - in waves: first web-1; then 1 host, up to 25%, up to 100%; 10 hosts at once; one that fails
    undoes the rotation
`);
    expect(stdout).toContain(`killed
  - by its issuer: what the issuer refuses is worth nothing anywhere, and no host has to be
    reached for that
  - disable, which can be undone: set the role in use NOLOGIN and end its sessions
  - destroy, for good: forget the password of the role in use (PASSWORD NULL)
`);
    expect(stdout).toContain('quarterly: every 90d, mon, tue 01:00-05:00 Europe/Berlin\n');
    expect(stdout).not.toContain('never-for-this');
    expect(stdout).toMatch(/max age +90 days; (to be rotated by|overdue since) 2027-02-18/);
    expect(stdout).toMatch(
      /01JDH00000000000000000000B {2}failed, begun 2026-11-20, .* ago, by alice@laptop: alice has\s+aborted it\n/,
    );
    expect(stdout).toContain('rotate start prod/dual --take-over --reason TEXT');
    expect(stderr).toMatch(/^rotate: without recipients, holders and what is under way: no codec key/);
  });

  const gone = 'cannot log in until a new value is deployed';
  const ways: [name: string, traits: object, consequence: string][] = [
    [
      'dual',
      { by: 'issuer', canDisable: true, overlap: 'dual', retire: 'issuer', source: 'worker' },
      `killed before it is replaced, app.service, jobs.service, cron.service on 2 hosts ${gone}; a rotation replaces it first, so that nothing fails, and kills it 1 h after the last host has changed`,
    ],
    [
      'swap',
      { by: 'issuer', canDisable: true, overlap: 'swap', retire: 'issuer', source: 'worker' },
      `killed by hand, whoever uses it ${gone}; a rotation replaces and kills it in one go, with a gap of some 5 to 30 seconds`,
    ],
    [
      'token',
      { by: 'deploy', canDisable: false, overlap: 'swap', retire: 'issuer', source: 'worker' },
      'what it has signed (sessions, tokens) is refused once it is replaced: people log in again',
    ],
    [
      'tokens',
      { by: 'deploy', canDisable: false, overlap: 'dual', retire: 'deploy', source: 'worker' },
      'what it has signed stays accepted until 7 days after the soak; who cannot wait takes it out of the file by hand and deploys that, and people log in again',
    ],
    [
      'manual',
      { by: 'manual', canDisable: false, overlap: 'dual', retire: 'issuer', source: 'person' },
      `killed before it is replaced, app.service on 1 host ${gone}; a rotation replaces it first, so that nothing fails, and comes to this 1 h after the last host has changed`,
    ],
    [
      'http',
      { by: 'issuer', canDisable: false, overlap: 'dual', retire: 'issuer', source: 'issuer' },
      `killed before it is replaced, whoever uses it ${gone}; a rotation replaces it first, so that nothing fails, and kills it 1 h after the last host has changed`,
    ],
  ];

  test('is tried here with every kind', () => {
    const { secrets } = parseRotateYaml(everyKind, 'rotate.yaml');
    expect(secrets.map(({ name }) => name)).toEqual(ways.map(([name]) => name));
    expect(new Set(secrets.map(({ kind }) => kind))).toEqual(new Set(kindRegistry.keys()));
  });

  test.each(ways)(
    'says of `%s` what kills it, and what that breaks, as JSON too',
    async (name, traits, end) => {
      writeFileSync(join(repo, 'rotate.yaml'), everyKind);
      const { code, stdout, stderr } = await here(`explain ${name} --json --offline`);
      expect([code, stderr]).toEqual([0, '']);
      expectOutput(stdout, 'explanation');
      const told = JSON.parse(stdout);
      expect(told).not.toHaveProperty('worker');
      expect(told).not.toHaveProperty('workerMissing');
      expect({ ...told.rotation, ...told.kill }).toMatchObject(traits);
      expect(told.kill.words.at(-1)).toBe(end);
      const { stdout: text } = await here(`explain ${name} --offline`);
      for (const words of [...told.rotation.words, ...told.kill.words])
        expect(text.replaceAll(/\s+/g, ' ')).toContain(words);
    },
  );

  test('names the others in its file, and those that come after it', async () => {
    writeFileSync(join(repo, 'rotate.yaml'), everyKind);
    const { stdout } = await here('explain token --json --offline');
    expect(JSON.parse(stdout)).toMatchObject({ sharesFileWith: ['tokens'], before: ['dual'], after: [] });
    const { stdout: text } = await here('explain token --offline');
    expect(text).toContain('secrets/prod/app.age, agenix; shared with tokens');
    expect(text).toContain('no schedule rotates it: a person does');
    expect(text).toContain('never rotated, as far as the log branch says');
  });

  test('keeps a checklist on lines that fit', async () => {
    writeFileSync(join(repo, 'rotate.yaml'), everyKind);
    const { stdout } = await here('explain manual --offline', { terminal: { columns: 60 } });
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('open the console; delete the older key');
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(70);
  });

  test('does not ask the remote when it is to stay offline', async () => {
    pushLog(folder, [record('01JDH00000000000000000000A', 'prod', 'db-password', {})]);
    const { stdout } = await here('explain db-password --json --offline');
    expect(JSON.parse(stdout).history).toEqual([]);
    const { stdout: asked } = await here('explain db-password --json');
    expectOutput(asked, 'explanation');
    expect(JSON.parse(asked).history).toMatchObject([{ id: '01JDH00000000000000000000A', state: 'done' }]);
  });

  test('needs a secret that there is', async () => {
    expect(await here('explain db-pasword --offline')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('unknown secret `db-pasword`, did you mean `db-password`?'),
    });
    expect(await here('explain api-key --offline')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('`api-key` may be prod/api-key or test/api-key'),
    });
  });

  test('goes without a server that does not answer, or is none', async () => {
    const key = join(folder, 'codec.key');
    writeFileSync(key, generateCodecKey(), { mode: 0o600 });
    const silent = createServer();
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = silent.address();
    const port = address === null || typeof address === 'string' ? 0 : address.port;
    const env = { ROTATE_CODEC_KEY_FILE: key, TEMPORAL_ADDRESS: `127.0.0.1:${port}` };
    const { code, stdout } = await here('explain db-password --json', { env });
    expectOutput(stdout, 'explanation');
    expect(JSON.parse(stdout).workerMissing).toEqual({
      type: 'TemporalUnreachable',
      message: `cannot reach Temporal at 127.0.0.1:${port}: it accepts a connection, and does not answer`,
    });
    expect(code).toBe(0);
    silent.close();
    const { stdout: text, stderr } = await here('explain db-password', {
      env: { ...env, TEMPORAL_ADDRESS: '127.0.0.1:1' },
    });
    expect(text).toContain('commands\n');
    expect(stderr).toBe(
      'rotate: without recipients, holders and what is under way: cannot reach Temporal at 127.0.0.1:1: connection refused (ECONNREFUSED)\n' +
        'rotate: hint: `rotate doctor` says what is wrong; --offline does not ask\n',
    );
  });
});

describe('with a worker', () => {
  let fleet: TestFleet;

  beforeAll(async () => {
    fleet = await startTestFleet();
    await fleet.startWorker();
  });
  afterAll(() => fleet.stop());

  test('adds holders, recipients and what is under way', async () => {
    const { stdout, stderr, code } = await rotate(['explain', 'db-password'], {
      cwd: fleet.repo,
      env: fleet.env,
    });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      /\na worker says\n {2}at commit +1a2b3c4d5e6f\n {2}in use +app_a\n {2}holder +web-1\n +web-2\n/,
    );
    expect(stdout).toContain('recipient   ssh-ed25519 AAAA');
    expect(stdout).toContain('under way   no rotation of it');
  });

  test('prints it as JSON too, with the rotation that holds it', async () => {
    fleet.held.add('generate');
    const started = await rotate(['start', 'db-password', '--yes', '--detach'], {
      cwd: fleet.repo,
      env: fleet.env,
    });
    const id = started.stdout.trim();
    const { stdout } = await rotate(['explain', 'db-password', '--json'], {
      cwd: fleet.repo,
      env: fleet.env,
    });
    expectOutput(stdout, 'explanation');
    expect(JSON.parse(stdout).worker).toMatchObject({
      holders: ['web-1', 'web-2'],
      underWay: [{ id, state: 'running' }],
    });
    const other = await rotate(['explain', 'prod/api-key', '--json'], { cwd: fleet.repo, env: fleet.env });
    expect(JSON.parse(other.stdout).worker.underWay).toEqual([]);
    fleet.held.delete('generate');
  });

  test('goes on without it when the worker cannot say', async () => {
    fleet.troubles.makePlan = new RotateError('BadRules', 'secrets.nix does not evaluate', {
      hint: 'repair it',
    });
    const { code, stdout, stderr } = await rotate(['explain', 'db-password'], {
      cwd: fleet.repo,
      env: fleet.env,
    });
    delete fleet.troubles.makePlan;
    expect(code).toBe(0);
    expect(stdout).toContain('killed\n');
    expect(stderr).toContain('secrets.nix does not evaluate\nrotate: hint: repair it\n');
  });
});

describe('every kind', () => {
  test('says in a few words what a secret of it is', () => {
    for (const { id, schema } of kindRegistry.values())
      expect([id, schema.description]).toEqual([id, expect.stringMatching(/^an? [^.]{10,110}$/)]);
  });

  test('is explained without a clock, git or a server of its own', () => {
    const config = parseRotateYaml(everyKind, 'rotate.yaml');
    const secret = resolveSecret(config, 'dual');
    const traits = {
      about: 'x',
      overlap: 'dual',
      kill: 'issuer',
      source: 'worker',
      canDisable: true,
      retire: 'issuer',
      effects: { generate: 'g', disable: 'd', destroy: 'e' },
      endpoints: [],
    } as const;
    const records = [record('01JDH00000000000000000000A', 'prod', 'dual', {})];
    const told = explainSecret({ config, secret, traits, records, now: '2026-12-01T00:00:00.000Z' });
    expect(told.schedules).toEqual([
      {
        name: 'quarterly',
        rhythm: 'every 90d, mon, tue 01:00-05:00 Europe/Berlin',
        state: 'not-due',
        why: 'last rotated 2026-11-20 13:12 Europe/Berlin, to be rotated every 90d; due 2027-02-18 13:12 Europe/Berlin',
        next: '2027-02-22T00:00:00.000Z',
      },
    ]);
    expect(told.age).toMatchObject({ state: 'ok', daysLeft: 79 });
    const refusal = record('01JDH00000000000000000000C', 'prod', 'dual', {
      state: 'refused',
      reason: { type: 'Blocked', message: 'rotation 01JDH00000000000000000000B was given up' },
    });
    const abort = record('01JDH00000000000000000000B', 'prod', 'dual', { state: 'failed' });
    const other = record('01JDH00000000000000000000C', 'prod', 'dual', { state: 'refused' });
    for (const before of [
      [refusal, ...records],
      [other, abort, ...records],
    ]) {
      const { commands } = explainSecret({
        config,
        secret,
        traits,
        records: before,
        now: '2026-12-01T00:00:00.000Z',
      });
      expect(commands.map(({ command }) => command)).toContain(
        'rotate start prod/dual --take-over --reason TEXT',
      );
    }
  });
});
