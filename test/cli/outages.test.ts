/** What a person sees while the worker or the server is away; see fleet.ts for what is real here. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { startDevServer } from '../../worker/dev-server.js';
import type { RunningWorker } from '../../worker/run-worker.js';
import { startTestFleet, type TestFleet } from './fleet.js';
import { expectOutput } from './schema.js';
import { rotate, type Ended, type World } from './world.js';

let fleet: TestFleet;
let worker: RunningWorker;

beforeAll(async () => {
  fleet = await startTestFleet();
  worker = await fleet.startWorker();
}, 120_000);
afterAll(() => fleet?.stop(), 60_000);
beforeEach(() => fleet.held.clear());

function here(args: string, world: Partial<World> = {}): Promise<Ended> {
  return rotate(args.split(' '), { cwd: fleet.repo, env: fleet.env, ...world });
}

/** Resolves when the text has been printed. */
function awaitText(text: string): { printed: (all: string) => void; seen: Promise<void> } {
  let resolve = (): void => {};
  const seen = new Promise<void>((done) => {
    resolve = done;
  });
  return { printed: (all) => (all.includes(text) ? resolve() : undefined), seen };
}

describe('while no worker listens', () => {
  test('a watch goes on with the last that is known, and sees the end once a worker is back', async () => {
    fleet.held.add('build');
    const building = awaitText('building');
    const watching = here('start db-password --yes', { onStdout: building.printed });
    await building.seen;
    // Its activity is given up with it; the next worker runs it again.
    fleet.held.clear();
    fleet.held.add('copy');
    const stopping = worker.stop();
    fleet.held.clear();
    await stopping;
    worker = await fleet.startWorker();
    const { code, stdout } = await watching;
    expect(stdout).toContain('  rotation  done\n');
    expect(code).toBe(0);
  });

  test('what needs one says so within seconds and exits with 4; status answers from the memo', async () => {
    fleet.held.add('inspectRepo');
    const { stdout: started } = await here('start db-password --yes --detach');
    const id = started.trim();
    fleet.held.clear();
    await worker.stop();
    for (const args of ['start db-password --yes', `abort ${id}`]) {
      const { code, stdout, stderr } = await here(`${args} --json`);
      expectOutput(stdout, 'error');
      expect(stderr).toContain('rotate: error: no worker answered on the task queue rotate within 4 s\n');
      expect(code).toBe(4);
    }
    const { code, stdout, stderr } = await here(`status ${id} --json`);
    expectOutput(stdout, 'status');
    expect(stderr).toBe('rotate: no worker answers: this is the last that is known\n');
    expect(code).toBe(0);
    const doctor = await here('doctor --json');
    expect(JSON.parse(doctor.stdout).findings.at(-1)).toMatchObject({ subject: 'worker', result: 'failed' });
    expect(doctor.code).toBe(1);
    const control = new AbortController();
    const watching = here(`watch ${id}`, { signal: control.signal });
    setTimeout(() => control.abort(), 4_500);
    expect(await watching).toMatchObject({
      code: 130,
      stderr: expect.stringMatching(
        /^rotate: no worker answers: this is the last that is known; still trying\nrotate: rotation \w+ goes on without being watched\n/,
      ),
    });
    worker = await fleet.startWorker();
    expect(await here(`watch ${id}`)).toMatchObject({ code: 0 });
  });
});

test('a watch survives a restart of the server', async () => {
  fleet.held.add('build');
  const building = awaitText('building');
  const away = awaitText('rotate: Temporal does not answer; still trying\n');
  const watching = here('start db-password --yes', { onStdout: building.printed, onStderr: away.printed });
  await building.seen;
  const { server } = fleet.temporal;
  await server.stop();
  await away.seen;
  const port = Number(server.address.split(':')[1]);
  fleet.temporal.server = await startDevServer({ databaseFile: server.databaseFile, port, tuned: true });
  fleet.held.clear();
  const { code, stdout } = await watching;
  expect(stdout).toContain('  rotation  done\n');
  expect(code).toBe(0);
}, 90_000);
