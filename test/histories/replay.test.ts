/**
 * Replays recorded histories against the workflows as they are now: what was begun by an
 * older worker must go on with this one. Recorded by record.ts.
 */
import { Worker } from '@temporalio/worker';
import { describe, expect, test } from 'vitest';

import { makeDataConverter } from '../../codec/data-converter.js';
import { installRuntime } from '../../worker/runtime.js';
import { sharedBundle } from '../workflows/support/bundle.js';
import { load, recordingKeys, scenarios, type Recorded } from './histories.js';

installRuntime({ log: { level: 'ERROR', format: 'json', write: () => {} } });

async function corpus(): Promise<Recorded[]> {
  return (await Promise.all(scenarios().map(load))).flat();
}

/** Workflows that did not replay, with why. */
async function replay(histories: readonly Recorded[]): Promise<string[]> {
  const failures: string[] = [];
  let replayed = 0;
  const results = Worker.runReplayHistories(
    {
      workflowBundle: await sharedBundle(),
      dataConverter: makeDataConverter(await recordingKeys(), 'mark'),
    },
    histories.map(({ workflowId, history }) => ({ workflowId, history })),
  );
  for await (const { workflowId, error } of results) {
    replayed += 1;
    if (error !== undefined) failures.push(`${workflowId}: ${error.message}`);
  }
  expect(replayed).toBe(histories.length);
  return failures;
}

const has = (histories: readonly Recorded[], eventType: string): boolean =>
  histories.some((h) => h.history.events.some((e) => e.eventType === eventType));

describe('the recorded histories', () => {
  test('are there, and show what they are named after', async () => {
    expect(scenarios()).toEqual([
      'aborted',
      'batches',
      // Recorded when looks did not ask again between two batches, of the look alone.
      'batches-unasked',
      'cancelled',
      'confirmed',
      'crashed',
      'done',
      'dropped',
      'max-failures',
      'parked',
      'parked-undo',
      'refused',
      'rolled-back',
      'scheduled',
      'sequence',
      'soaking',
      'swapped',
      'undoing',
    ]);
    for (const scenario of scenarios()) {
      const histories = await load(scenario);
      const rotations = histories.filter((h) => h.type === 'rotation');
      const open = rotations.some(
        (h) => !/WORKFLOW_EXECUTION_(COMPLETED|CONTINUED_AS_NEW)$/.test(h.history.events.at(-1)?.eventType ?? ''),
      );
      expect([scenario, open]).toEqual([scenario, ['parked', 'parked-undo', 'scheduled', 'soaking', 'undoing'].includes(scenario)]);
      expect([scenario, histories.some((h) => h.type === 'claim')]).toEqual([scenario, true]);
    }
    const types = new Set((await corpus()).map(({ type }) => type));
    expect([...types].toSorted()).toEqual(['ages', 'claim', 'due', 'notify', 'rotation', 'sequence', 'wave']);
    expect(has(await load('scheduled'), 'EVENT_TYPE_TIMER_FIRED')).toBe(true);
    expect(has(await load('done'), 'EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW')).toBe(true);
    expect(has(await load('cancelled'), 'EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED')).toBe(true);
    expect(has(await load('parked-undo'), 'EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED')).toBe(true);
    const attempts = (await load('crashed')).flatMap((h) =>
      h.history.events.map((e) => e.activityTaskStartedEventAttributes?.attempt ?? 1),
    );
    expect(Math.max(...attempts)).toBeGreaterThan(1);
  });

  test('replay, all of them', async () => {
    expect(await replay(await corpus())).toEqual([]);
  });

  test('do not replay when something else was done, so that the test above means something', async () => {
    const histories = await load('done');
    const changed = histories.filter((h) => h.type === 'rotation').slice(0, 1);
    for (const { history } of changed) {
      const scheduled = history.events.find((e) => e.activityTaskScheduledEventAttributes !== undefined);
      if (scheduled?.activityTaskScheduledEventAttributes !== undefined)
        scheduled.activityTaskScheduledEventAttributes.activityType.name = 'somethingElse';
    }
    expect(await replay(changed)).toHaveLength(1);
  });

  test('hold nothing in the clear that a rotation was told', async () => {
    const text = JSON.stringify(await corpus());
    for (const word of ['sealed:', 'web-1:', '/nix/store', 'd19e57']) {
      expect(text).not.toContain(word);
      expect(text).not.toContain(Buffer.from(word).toString('base64').slice(0, -3));
    }
  });
});
