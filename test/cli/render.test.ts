import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { startLive } from '../../cli/live.js';
import { eventLine, retryLine, waitLine } from '../../cli/render/event-line.js';
import { findingsText } from '../../cli/render/findings.js';
import { planText } from '../../cli/render/plan-text.js';
import { statusLines } from '../../cli/render/status-lines.js';
import { statusText } from '../../cli/render/status-text.js';
import { coloured, plain, wantsColour, wantsLines, wantsPlain } from '../../cli/render/style.js';
import { table } from '../../cli/render/table.js';
import { cut, duration, fold, oneLine, pad, printable, shortDuration, wrap } from '../../cli/render/text.js';
import { withId } from '../../cli/render/waiting-words.js';
import { displayWidth } from '../../cli/render/width.js';
import type { Attention } from '../../cli/terminal.js';
import type { RotationEvent } from '../../domain/status.js';
import { makePlan } from './fleet.js';
import { done, now, parked, running, soaking } from './sample-statuses.js';
import { screenOf } from './terminal-screen.js';

describe('drawing in place', () => {
  const size = { columns: 20, rows: 12 };

  function makeTerminal() {
    const written: string[] = [];
    const attention: Attention[] = [];
    let attended = 0;
    const output = {
      write: (text: string) => void written.push(text),
      isTTY: true,
      columns: size.columns,
      rows: size.rows,
      attend: (on: Attention) => {
        attention.push(on);
        attended += 1;
        return () => void (attended -= 1);
      },
    };
    return {
      output,
      written,
      attention,
      attended: () => attended,
      screen: () => screenOf(written.join(''), size),
    };
  }

  test('goes up over what it drew, also when the terminal became narrower, and clears nothing before it writes', () => {
    const { output, written } = makeTerminal();
    const live = startLive(output);
    live.draw(['0123456789', 'b']);
    live.draw(['0123456789', 'b']);
    live.draw(['0123456789', 'c']);
    output.columns = 5;
    live.draw(['d']);
    live.end();
    expect(written).toEqual([
      '\u001B[?25l',
      '\r0123456789\u001B[K\nb\u001B[K\n\u001B[J',
      '\u001B[2A\r0123456789\u001B[K\nc\u001B[K\n\u001B[J',
      '\u001B[3A\rd\u001B[K\n\u001B[J',
      '\u001B[?25h',
    ]);
  });

  test('leaves on the screen what was drawn last, whatever was drawn before', () => {
    const line = fc
      .string({ unit: 'grapheme', maxLength: 12 })
      .map((text) => cut(oneLine(`.${text}`), 19).trimEnd());
    fc.assert(
      fc.property(
        fc.array(fc.array(line, { maxLength: size.rows - 1 }), { minLength: 1, maxLength: 6 }),
        (drawings) => {
          const { output, screen } = makeTerminal();
          const live = startLive(output);
          for (const drawing of drawings) {
            live.draw(drawing);
            expect(screen().cursorHidden).toBe(true);
            expect(screen().lines).toEqual(drawing);
          }
          live.end();
          expect(screen().cursorHidden).toBe(false);
        },
      ),
    );
  });

  test('draws anew when the size is another, and listens no longer than it draws', () => {
    const { output, attention, attended } = makeTerminal();
    let drawings = 0;
    const live = startLive(output, () => {
      drawings += 1;
    });
    attention[0]?.resized();
    expect([drawings, attended()]).toEqual([1, 1]);
    live.end();
    expect(attended()).toBe(0);
  });

  test('gives the cursor back when it is stopped, and draws below what the shell has said when it comes back', () => {
    const { output, attention, written, screen } = makeTerminal();
    const live = startLive(output, () => live.draw(['second']));
    live.draw(['first']);
    attention[0]?.leaving();
    attention[0]?.leaving();
    expect(screen()).toEqual({ lines: ['first'], cursorHidden: false });
    written.push('$ fg\n');
    attention[0]?.back();
    expect(screen()).toEqual({ lines: ['first', '$ fg', 'second'], cursorHidden: true });
    live.end();
    expect(screen().cursorHidden).toBe(false);
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

  test('is folded so that nothing is wider, and nothing is lost but spaces', () => {
    expect(fold('one /nix/store/aaaaaaaa four', 10, '  ')).toEqual([
      '  one',
      '  /nix/sto',
      '  re/aaaaa',
      '  aaa',
      '  four',
    ]);
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 2, max: 30 }), (text, width) => {
        const lines = fold(text, width);
        expect(lines.filter((line) => displayWidth(line) > width)).toEqual([]);
        expect(lines.join('').replaceAll(' ', '')).toBe(printable(text).replaceAll(/[ \n]/g, ''));
      }),
    );
  });

  test('says durations as people do', () => {
    expect(
      [0, 59_400, 60_000, 125_000, 3_600_000, 11_400_000, 90_000_000, 200_000_000].map(duration),
    ).toEqual(['0 s', '59 s', '1 min', '2 min 5 s', '1 h', '3 h 10 min', '25 h', '2 days']);
  });

  test('says them in six columns where a table has no more', () => {
    expect(
      [0, 59_400, 60_000, 125_000, 3_600_000, 11_400_000, 172_000_000, 200_000_000].map(shortDuration),
    ).toEqual(['0s', '59s', '1m00s', '2m05s', '1h00m', '3h10m', '47h46m', '2d']);
  });

  test('is never counted as narrower than a terminal shows it', () => {
    // Marks, joiners, the coloured form of a heart, a soft hyphen that some show, wide letters and Tangut.
    expect(
      ['e\u0301', 'a\u200Bb', '\u2764\uFE0F', 'a\u00ADb', '日本', '\u{17000}', '🔑'].map(displayWidth),
    ).toEqual([1, 2, 2, 3, 4, 2, 2]);
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

describe('lines', () => {
  const id = '01JDH00000000000000000000A';

  test('say of an event when it was, in which rotation, which step, on which host, and what', () => {
    const at = '2026-11-23T12:00:00.123Z';
    const events: RotationEvent[] = [
      { n: 1, at, type: 'state', state: 'done' },
      { n: 2, at, type: 'step', step: 'deploy', stepState: 'failed', message: 'two\nlines' },
      { n: 3, at, type: 'host', step: 'deploy', host: 'web-1', stepState: 'running', message: 'building' },
      { n: 4, at, type: 'note', message: 'retry by alice\u001B[2J' },
    ];
    expect(events.map((event) => eventLine(id, event))).toEqual([
      '2026-11-23T12:00:00Z  01JDH00000000000000000000A  rotation  done',
      '2026-11-23T12:00:00Z  01JDH00000000000000000000A  deploy  failed  two lines',
      '2026-11-23T12:00:00Z  01JDH00000000000000000000A  deploy  web-1  running  building',
      '2026-11-23T12:00:00Z  01JDH00000000000000000000A  note  retry by alice\uFFFD[2J',
    ]);
  });

  test('say until when it waits, and what is tried again', () => {
    expect([waitLine(soaking(1), now), waitLine(running(1), now)]).toEqual([
      '2026-11-23T12:01:05Z  01JDH00000000000000000000A  rotation  waits for the soak until 2026-11-23 12:10:45 UTC ' +
        '(9 min 40 s): the checks go on until then, and the old value is valid',
      undefined,
    ]);
    const reason = { type: 'HostUnreachable', message: 'web-1 does not answer' } as const;
    expect(retryLine(id, { activity: 'copy', key: 'k', attempt: 3, reason }, now)).toBe(
      '2026-11-23T12:01:05Z  01JDH00000000000000000000A  retry  copy is tried again, attempt 3: web-1 does not answer (HostUnreachable)',
    );
  });

  test('say all that a status holds, each a fact', () => {
    const status = parked(1);
    expect(statusText(status, { columns: 40, rows: 10, now, paint: coloured, plain: true })).toBe(`\
rotation 01JDH00000000000000000000A of prod/db-password, api-key, smtp: needs-attention
started 2026-11-23T12:00:00Z, asked for by alice@laptop
generate: done after 12 s
generate on web-1: done after 9 s
encrypt: done after 3 s
deploy: done after 20 s
deploy on web-1: failed after 30 s: web-1 does not answer at 10.0.0.1:22
restart: done after 5 s
verify: done after 10 s
revoke: failed after 0 s
needs attention: the old value is not revoked: web-1 may still hold it
hint: bring the host back and \`rotate retry 01JDH00000000000000000000A\`
type: rotate retry 01JDH00000000000000000000A (tries again what failed)
type: rotate skip 01JDH00000000000000000000A web-1 --accept-loss (goes on without the host)
type: rotate rollback 01JDH00000000000000000000A (undoes the rotation)
type: rotate abort 01JDH00000000000000000000A (stops, and leaves everything as it is)
`);
    const proof = {
      claim: 'the old value is refused',
      host: 'web-1',
      endpoint: 'db-1:5432',
      result: 'passed',
    } as const;
    const ended = { ...done(1), proof: [{ ...proof, at: '2026-11-23T12:00:50Z', evidence: '28000' }] };
    expect(statusLines(ended, { now }).slice(-2)).toEqual([
      'prod/db-password is rotated, and the old value is proven dead',
      'proof: the old value is refused, from web-1, at db-1:5432: passed: 28000',
    ]);
  });

  test('of a status leave one for the prompt on a terminal, and are as many as there are hosts elsewhere', () => {
    const lines = (size: { columns: number | undefined; rows?: number }): number =>
      statusText(running(200), { ...size, now, paint: plain }).split('\n').length - 1;
    expect([
      lines({ columns: 80, rows: 24 }),
      lines({ columns: 40, rows: 10 }),
      lines({ columns: undefined }),
    ]).toEqual([23, 9, 203]);
  });

  test('are for who asks for them, and where nothing can be drawn', () => {
    expect([
      wantsLines(true, {}, false),
      wantsLines(false, {}, false),
      wantsLines(true, { TERM: 'dumb' }, false),
      wantsLines(true, {}, true),
      wantsLines(true, { ROTATE_PLAIN: '1' }, false),
      wantsLines(true, { ROTATE_PLAIN: '0' }, false),
      wantsLines(true, { ROTATE_PLAIN: '' }, false),
      wantsPlain({ TERM: 'dumb' }, false),
    ]).toEqual([false, true, true, true, true, false, false, false]);
  });
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
