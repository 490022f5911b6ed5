import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { startLive } from '../../cli/live.js';
import { eventLine } from '../../cli/render/event-line.js';
import { findingsText } from '../../cli/render/findings.js';
import { planText } from '../../cli/render/plan-text.js';
import { progressLines } from '../../cli/render/progress.js';
import { coloured, plain, wantsColour } from '../../cli/render/style.js';
import { withId } from '../../cli/render/status-text.js';
import { table } from '../../cli/render/table.js';
import { cut, duration, oneLine, pad, wrap } from '../../cli/render/text.js';
import { displayWidth } from '../../cli/render/width.js';
import type { RotationStatus, StepStatus } from '../../domain/status.js';
import { stepNames, type StepName, type StepState } from '../../domain/steps.js';
import { makePlan } from './fleet.js';

const now = Date.parse('2026-11-23T12:01:05Z');

function status(
  states: Partial<Record<StepName, StepState>>,
  hosts: Partial<Record<StepName, StepStatus['hosts']>>,
): RotationStatus {
  return {
    id: '01JDH00000000000000000000A',
    environment: 'prod',
    secrets: ['db-password'],
    state: 'running',
    startedAt: '2026-11-23T12:00:00Z',
    steps: stepNames.map((name) => ({
      name,
      state: states[name] ?? 'pending',
      attempts: 1,
      hosts: hosts[name] ?? [],
    })),
  };
}

const middle = status(
  { generate: 'done', encrypt: 'done', deploy: 'running', restart: 'running', verify: 'running' },
  {
    generate: [{ name: 'web-2', state: 'running', message: 'ready' }],
    deploy: [
      { name: 'web-1', state: 'done' },
      { name: 'web-2', state: 'running', message: 'copying' },
    ],
    restart: [{ name: 'web-1', state: 'done' }],
    verify: [{ name: 'web-1', state: 'failed', message: 'app.service failed: exit code 1 after 3 s' }],
  },
);

function progress(columns: number, rows?: number): string[] {
  return progressLines(middle, { columns, ...(rows === undefined ? {} : { rows }), now, paint: plain });
}

describe('the progress', () => {
  test('has words where there is room', () => {
    expect(progress(100)).toEqual([
      'prod/db-password  running  1 min 5 s  01JDH00000000000000000000A',
      '          generate encrypt  deploy   restart  verify   revoke',
      'rotation  done     done     running  running  running  ·',
      'web-2     done              running                             copying',
      'web-1                       done     done     failed            app.service failed: exit code 1 aft…',
    ]);
  });

  test('has one sign a step where there is not', () => {
    expect(progress(40)).toEqual([
      'prod/db-password  running  1 min 5 s',
      '          g e d r v r',
      'rotation  ✓ ✓ ▸ ▸ ▸ ·',
      'web-2     ✓   ▸       copying',
      'web-1         ✓ ✓ ✗   app.service faile…',
    ]);
  });

  test('fits every width from 40 to 200, whatever the names', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 40, max: 200 }),
        fc.array(
          fc.record({
            name: fc.string({ minLength: 1, maxLength: 70, unit: 'binary' }),
            message: fc.string({ unit: 'grapheme' }),
          }),
          {
            maxLength: 8,
          },
        ),
        (columns, hosts) => {
          const shown = status(
            { deploy: 'running' },
            { deploy: hosts.map((host) => ({ ...host, state: 'running' as const })) },
          );
          for (const line of progressLines(shown, { columns, now, paint: plain })) {
            expect(displayWidth(line)).toBeLessThanOrEqual(columns);
            expect(line).not.toMatch(/[\n\r]/);
          }
        },
      ),
    );
  });

  test('does not fail on a terminal that is too narrow', () => {
    for (let columns = 1; columns < 40; columns += 1) expect(progress(columns)).toHaveLength(5);
  });

  test('keeps to the height, and shows first what is going on or wrong', () => {
    const many = status(
      { deploy: 'running', verify: 'running' },
      {
        deploy: Array.from({ length: 60 }, (_, i) => ({
          name: `web-${i}`,
          state: i === 59 ? ('failed' as const) : ('done' as const),
        })),
        verify: Array.from({ length: 58 }, (_, i) => ({ name: `web-${i}`, state: 'done' as const })),
      },
    );
    const lines = progressLines(many, { columns: 80, rows: 10, now, paint: plain });
    expect(lines.length).toBeLessThanOrEqual(10);
    expect(lines.join('\n')).toContain('web-58');
    expect(lines.join('\n')).toMatch(/web-59 +failed/);
    expect(lines.at(-1)).toBe('and 55 hosts more (58 of 60 verified)');
  });

  test('takes no more room with colour', () => {
    const bare = progressLines(middle, { columns: 80, now, paint: coloured }).map((line) =>
      // oxlint-disable-next-line no-control-regex
      line.replaceAll(/\u001B\[\d+m/g, ''),
    );
    expect(bare.map((line) => line.trimEnd())).toEqual(progress(80));
  });
});

describe('drawing in place', () => {
  test('goes up over what it drew, also when the terminal became narrower', () => {
    const written: string[] = [];
    const output = { write: (text: string) => void written.push(text), isTTY: true, columns: 20, rows: 24 };
    const live = startLive(output);
    live.draw(['0123456789', 'b']);
    live.draw(['0123456789', 'b']);
    live.draw(['0123456789', 'c']);
    output.columns = 5;
    live.draw(['d']);
    live.end();
    expect(written).toEqual([
      '\u001B[?25l',
      '\r\u001B[J0123456789\nb\n',
      '\u001B[2A\r\u001B[J0123456789\nc\n',
      '\u001B[3A\r\u001B[Jd\n',
      '\u001B[?25h',
    ]);
  });
});

describe('text', () => {
  test('is cut and padded by the columns that it takes', () => {
    expect([cut('abcdef', 4), cut('abc', 4), cut('日本語', 4), pad('日本', 6), cut('x', 0)]).toEqual([
      'abc…',
      'abc',
      '日…',
      '日本  ',
      '',
    ]);
  });

  test('is wrapped at spaces, and long words stay whole', () => {
    expect(wrap('one two three /nix/store/aaaaaaaaaaaaaaaa four', 12, '  ')).toEqual([
      '  one two',
      '  three',
      '  /nix/store/aaaaaaaaaaaaaaaa',
      '  four',
    ]);
  });

  test('says durations as people do', () => {
    expect(
      [0, 59_400, 60_000, 125_000, 3_600_000, 11_400_000, 90_000_000, 200_000_000].map(duration),
    ).toEqual(['0 s', '59 s', '1 min', '2 min 5 s', '1 h', '3 h 10 min', '25 h', '2 days']);
  });

  test('never holds a control character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        // oxlint-disable-next-line no-control-regex
        expect(oneLine(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
      }),
    );
  });
});

test('a table takes no more than its terminal, and everything without one', () => {
  const rows = [['a-very-long-name-of-a-secret', 'x', 'secrets/prod/a-very-long-name-of-a-secret.age']];
  expect(table(['NAME', 'N', 'FILE'], rows, 40)).toBe(
    'NAME                N  FILE\na-very-long-name-…  x  secrets/prod/a-v…\n',
  );
  expect(table(['NAME', 'N', 'FILE'], rows, undefined)).toContain(
    'secrets/prod/a-very-long-name-of-a-secret.age',
  );
});

test('an event is one line', () => {
  const at = '2026-11-23T12:00:00.123Z';
  expect(
    [
      { n: 1, at, type: 'state', state: 'done' },
      { n: 2, at, type: 'step', step: 'deploy', stepState: 'failed', message: 'two\nlines' },
      { n: 3, at, type: 'host', step: 'deploy', host: 'web-1', stepState: 'running', message: 'building' },
      { n: 4, at, type: 'note', message: 'retry by alice' },
    ].map((event) => eventLine(event as Parameters<typeof eventLine>[0])),
  ).toEqual([
    '2026-11-23T12:00:00Z  rotation  done',
    '2026-11-23T12:00:00Z  deploy  failed  two lines',
    '2026-11-23T12:00:00Z  deploy  web-1  running  building',
    '2026-11-23T12:00:00Z  note  retry by alice',
  ]);
});

test('findings stand out, with their hints below them', () => {
  const text = findingsText(
    [
      { subject: 'host web-1', check: 'ssh', result: 'ok', message: 'reachable' },
      {
        subject: 'host web-2',
        check: 'ssh',
        result: 'failed',
        message: 'its host key is another than the one that rotate.yaml names',
        hint: 'find out why before you change it',
      },
    ],
    50,
    plain,
  );
  expect(text).toBe(`ok       host web-1: ssh: reachable
failed   host web-2: ssh: its host key is another
         than the one that rotate.yaml names
         hint: find out why before you change it
2 checks: 1 failed
`);
});

test('a plan fits a narrow terminal', () => {
  const { policy, ...plan } = makePlan('prod', ['db-password', 'api-key']);
  const host = { name: 'test-vm', units: [] };
  const wider = { ...plan, policy: { ...policy, soakMs: 600_000 }, waves: [[host], ...plan.waves] };
  const text = planText({ plan: wider, digest: 'a'.repeat(64) }, 40, plain);
  expect(text).toContain('  wave 1: test-vm\n  wave 2: web-1, web-2\n');
  expect(text).toContain('  test-vm: nothing: no unit reads it\n');
  expect(text).toContain('  then merge, and watch for 10 min\n');
  // Keys stay whole, to be compared.
  expect(text.split('\n').filter((line) => displayWidth(line) > 40 && !line.includes('…'))).toEqual([]);
});

test('hints of the protocol can be typed as they are', () => {
  expect(withId('bring it back and `rotate retry`, or `rotate skip ID HOST --accept-loss`', '01J')).toBe(
    'bring it back and `rotate retry 01J`, or `rotate skip 01J HOST --accept-loss`',
  );
});

test('colour is for terminals that want it', () => {
  expect([
    wantsColour(true, {}, true),
    wantsColour(false, {}, true),
    wantsColour(true, { NO_COLOR: '1' }, true),
    wantsColour(true, { NO_COLOR: '' }, true),
    wantsColour(true, { TERM: 'dumb' }, true),
    wantsColour(true, {}, false),
  ]).toEqual([true, false, false, true, false, false]);
});
