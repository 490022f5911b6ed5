/** Steps x hosts on terminals of all sizes, as they are drawn. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { Retry } from '../../client/retries.js';
import { progressLines, type ProgressOptions } from '../../cli/render/progress.js';
import { coloured, plain } from '../../cli/render/style.js';
import { displayWidth } from '../../cli/render/width.js';
import { personWords, type RotationStatus } from '../../domain/status.js';
import { rotationStates, stepNames } from '../../domain/steps.js';
import { after, done, now, parked, running, sample, soaking, undoing } from './sample-statuses.js';

function lines(status: RotationStatus, options: Partial<ProgressOptions> = {}): string[] {
  return progressLines(status, { columns: 80, now, paint: plain, ...options });
}

/** On a line of its own, so that the columns can be seen. */
function drawn(status: RotationStatus, columns: number, rows: number): string {
  return `\n${lines(status, { columns, rows }).join('\n')}\n`;
}

const copy: Retry = {
  activity: 'copy',
  key: 'a',
  attempt: 4,
  reason: { type: 'HostUnreachable', message: 'web-1 does not answer at 10.0.0.1:22' },
  nextAt: after(73),
};

describe('the progress', () => {
  test('on a wide terminal has a column a step, with times, and messages whole', () => {
    expect(drawn(running(3), 200, 60)).toBe(`
prod/db-password  running  1 min 5 s  01JDH00000000000000000000A  asked for by alice@laptop
          generate        encrypt         deploy          restart         verify          revoke
rotation  done 12s        done 3s         running 50s     running 30s     running 25s     ·
web-1     done 9s                         done 20s        done 5s         done 4s
web-2     done 9s                         done 20s        done 5s         done 4s
web-3     done 9s                         done 20s        done 5s         failed 3s                       app.service failed: exit code 1 after 3 s
`);
  });

  test('on a narrower one puts a message that is too long below its host', () => {
    expect(drawn(running(3), 120, 24)).toBe(`
prod/db-password  running  1 min 5 s  01JDH00000000000000000000A  asked for by alice@laptop
          generate        encrypt         deploy          restart         verify          revoke
rotation  done 12s        done 3s         running 50s     running 30s     running 25s     ·
web-1     done 9s                         done 20s        done 5s         done 4s
web-2     done 9s                         done 20s        done 5s         done 4s
web-3     done 9s                         done 20s        done 5s         failed 3s
  app.service failed: exit code 1 after 3 s
`);
  });

  test('on one of 80 columns has the times of the steps in a row of their own', () => {
    expect(drawn(running(3), 80, 24)).toBe(`
prod/db-password  running  1 min 5 s
01JDH00000000000000000000A  asked for by alice@laptop
          generate  encrypt  deploy   restart  verify   revoke
rotation  done      done     running  running  running  ·
time      12s       3s       50s      30s      25s
web-1     done               done     done     done
web-2     done               done     done     done
web-3     done               done     done     failed
  3s app.service failed: exit code 1 after 3 s
`);
  });

  test('on one of 40 columns is a list of steps and hosts', () => {
    expect(drawn(running(3), 40, 24)).toBe(`
prod/db-password  running  1 min 5 s
01JDH00000000000000000000A
asked for by alice@laptop

generate  done     12 s
encrypt   done     3 s
deploy    running  50 s
restart   running  30 s
verify    running  25 s
revoke    pending

web-1  verify done 4s
web-2  verify done 4s
web-3  verify failed 3s
  app.service failed: exit code 1 after
  3 s
`);
  });

  test('of one host has an entry for it, and what it says', () => {
    expect(drawn(running(1), 40, 60)).toBe(`
prod/db-password  running  1 min 5 s
01JDH00000000000000000000A
asked for by alice@laptop

generate  done     12 s
encrypt   done     3 s
deploy    running  50 s
restart   running  30 s
verify    running  25 s
revoke    pending

web-1  deploy running 10s
  switching
`);
  });

  test('of one host has a row for it', () => {
    expect(drawn(running(1), 80, 10)).toBe(`
prod/db-password  running  1 min 5 s
01JDH00000000000000000000A  asked for by alice@laptop
          generate  encrypt  deploy   restart  verify   revoke
rotation  done      done     running  running  running  ·
time      12s       3s       50s      30s      25s
web-1     done               running                             10s switching
`);
  });

  test('in few lines has the steps in one, and cuts messages', () => {
    expect(drawn(running(3), 40, 10)).toBe(`
prod/db-password  running  1 min 5 s
01JDH00000000000000000000A
asked for by alice@laptop
deploy running 50s, restart running 30s…

web-1  verify done 4s
web-2  verify done 4s
web-3  verify failed 3s
  app.service failed: exit code 1 after
  3 s
`);
  });

  test('of 20 hosts in few lines shows first what failed, runs or waits, and counts the rest', () => {
    expect(drawn(running(20), 80, 10)).toBe(`
prod/db-password  running  1 min 5 s
01JDH00000000000000000000A  asked for by alice@laptop
          generate  encrypt  deploy   restart  verify   revoke
rotation  done      done     running  running  running  ·
time      12s       3s       50s      30s      25s
web-16    done               done     done     failed
  3s app.service failed: exit code 1 after 3 s
web-17    done               running                             10s switching
web-18    done               running                             10s switching
and 17 hosts more: 2 waiting, 15 verified
`);
  });

  test('of 20 hosts shows all where there is room', () => {
    expect(drawn(running(20), 120, 60)).toBe(`
prod/db-password  running  1 min 5 s  01JDH00000000000000000000A  asked for by alice@laptop
          generate        encrypt         deploy          restart         verify          revoke
rotation  done 12s        done 3s         running 50s     running 30s     running 25s     ·
web-1     done 9s                         done 20s        done 5s         done 4s
web-2     done 9s                         done 20s        done 5s         done 4s
web-3     done 9s                         done 20s        done 5s         done 4s
web-4     done 9s                         done 20s        done 5s         done 4s
web-5     done 9s                         done 20s        done 5s         done 4s
web-6     done 9s                         done 20s        done 5s         done 4s
web-7     done 9s                         done 20s        done 5s         done 4s
web-8     done 9s                         done 20s        done 5s         done 4s
web-9     done 9s                         done 20s        done 5s         done 4s
web-10    done 9s                         done 20s        done 5s         done 4s
web-11    done 9s                         done 20s        done 5s         done 4s
web-12    done 9s                         done 20s        done 5s         done 4s
web-13    done 9s                         done 20s        done 5s         done 4s
web-14    done 9s                         done 20s        done 5s         done 4s
web-15    done 9s                         done 20s        done 5s         done 4s
web-16    done 9s                         done 20s        done 5s         failed 3s
  app.service failed: exit code 1 after 3 s
web-17    done 9s                         running 10s                                                     switching
web-18    done 9s                         running 10s                                                     switching
web-19    done 9s
web-20    done 9s
`);
  });

  test('of 20 hosts on one of 40 columns counts those that are through', () => {
    expect(drawn(running(20), 40, 24)).toBe(`
prod/db-password  running  1 min 5 s
01JDH00000000000000000000A
asked for by alice@laptop

generate  done     12 s
encrypt   done     3 s
deploy    running  50 s
restart   running  30 s
verify    running  25 s
revoke    pending
web-16  verify failed 3s
  app.service failed: exit code 1 after…
web-17  deploy running 10s  switching
web-18  deploy running 10s  switching
web-19  generate done 9s
web-20  generate done 9s
web-1   verify done 4s
web-2   verify done 4s
web-3   verify done 4s
web-4   verify done 4s
web-5   verify done 4s
web-6   verify done 4s
web-7   verify done 4s
and 8 hosts more: 8 verified
`);
  });

  test('of 200 hosts fits the height', () => {
    expect(drawn(running(200), 120, 24)).toBe(`
prod/db-password  running  1 min 5 s  01JDH00000000000000000000A  asked for by alice@laptop
          generate        encrypt         deploy          restart         verify          revoke
rotation  done 12s        done 3s         running 50s     running 30s     running 25s     ·
web-151   done 9s                         done 20s        done 5s         failed 3s
  app.service failed: exit code 1 after 3 s
web-152   done 9s                         running 10s                                                     switching
web-153   done 9s                         running 10s                                                     switching
web-154   done 9s                         running 10s                                                     switching
web-155   done 9s                         running 10s                                                     switching
web-156   done 9s                         running 10s                                                     switching
web-157   done 9s                         running 10s                                                     switching
web-158   done 9s                         running 10s                                                     switching
web-159   done 9s                         running 10s                                                     switching
web-160   done 9s                         running 10s                                                     switching
web-161   done 9s                         running 10s                                                     switching
web-162   done 9s                         running 10s                                                     switching
web-163   done 9s                         running 10s                                                     switching
web-164   done 9s                         running 10s                                                     switching
web-165   done 9s                         running 10s                                                     switching
web-166   done 9s                         running 10s                                                     switching
web-167   done 9s                         running 10s                                                     switching
web-168   done 9s                         running 10s                                                     switching
web-169   done 9s                         running 10s                                                     switching
and 181 hosts more: 2 running, 29 waiting, 150 verified
`);
  });

  test('of 200 hosts in 10 lines of 40 columns still says why one failed', () => {
    expect(drawn(running(200), 40, 10)).toBe(`
prod/db-password  running  1 min 5 s
01JDH00000000000000000000A
asked for by alice@laptop
deploy running 50s, restart running 30s…
web-151  verify failed 3s
  app.service failed: exit code 1 after…
web-152  deploy running 10s  switching
web-153  deploy running 10s  switching
web-154  deploy running 10s  switching
and 196 hosts more: 17 running, 29 wait…
`);
  });

  test('of a soak says until when', () => {
    expect(drawn(soaking(3), 120, 24)).toBe(`
prod/db-password  waiting  1 min 5 s  01JDH00000000000000000000A  asked for by alice@laptop
          generate        encrypt         deploy          restart         verify          revoke
rotation  done 12s        done 3s         done 20s ×2     done 5s         running 25s     ·
web-1     done 9s                         done 20s        done 5s         done 4s
web-2     done 9s                         done 20s        done 5s         done 4s
web-3     done 9s                         done 20s        done 5s         done 4s

waits for the soak until 2026-11-23 12:10:45 UTC (9 min 40 s): the checks go on until then, and the old value is valid
`);
  });

  test('of a soak on one of 40 columns says all of it', () => {
    expect(drawn(soaking(3), 40, 24)).toBe(`
prod/db-password  waiting  1 min 5 s
01JDH00000000000000000000A
asked for by alice@laptop

generate  done     12 s
encrypt   done     3 s
deploy    done     20 s, attempt 2
restart   done     5 s
verify    running  25 s
revoke    pending

web-1  verify done 4s
web-2  verify done 4s
web-3  verify done 4s

waits for the soak until 2026-11-23
12:10:45 UTC (9 min 40 s): the checks go
on until then, and the old value is
valid
`);
  });

  test('of a soak of 200 hosts leaves out who asked, not until when', () => {
    expect(drawn(soaking(200), 80, 10)).toBe(`
prod/db-password  waiting  1 min 5 s
          generate  encrypt  deploy   restart  verify   revoke
rotation  done      done     done     done     running  ·
web-1     done               done     done     done
web-2     done               done     done     done
web-3     done               done     done     done
web-4     done               done     done     done
and 196 hosts more: 196 verified
waits for the soak until 2026-11-23 12:10:45 UTC (9 min 40 s): the checks go on
until then, and the old value is valid
`);
  });

  test('that is parked says why, and exactly what to type', () => {
    expect(drawn(parked(3), 120, 24)).toBe(`
prod/db-password, api-key, smtp  needs-attention  1 min 5 s  01JDH00000000000000000000A  asked for by alice@laptop
          generate        encrypt         deploy          restart         verify          revoke
rotation  done 12s        done 3s         done 20s        done 5s         done 10s        failed 0s
web-1     done 9s                         done 20s        done 5s         done 4s
web-2     done 9s                         done 20s        done 5s         done 4s
web-3     done 9s                         failed 30s
  web-3 does not answer at 10.0.0.3:22

needs attention: the old value is not revoked: web-3 may still hold it
hint: bring the host back and \`rotate retry 01JDH00000000000000000000A\`
type one of these:
  rotate retry 01JDH00000000000000000000A                     tries again what failed
  rotate skip 01JDH00000000000000000000A web-3 --accept-loss  goes on without the host
  rotate rollback 01JDH00000000000000000000A                  undoes the rotation
  rotate abort 01JDH00000000000000000000A                     stops, and leaves everything as it is
`);
  });

  test('that is parked keeps what to type where there is little room', () => {
    expect(drawn(parked(20), 80, 10)).toBe(`
prod/db-password, api-key, smtp  needs-attention  1 min 5 s
web-20  deploy failed 30s  web-20 does not answer at 10.0.0.20:22
web-1   verify done 4s
and 18 hosts more: 18 verified
needs attention: the old value is not revoked: web-20 may still hold it
  rotate retry 01JDH00000000000000000000A
  rotate skip 01JDH00000000000000000000A web-20 --accept-loss
  rotate rollback 01JDH00000000000000000000A
  rotate abort 01JDH00000000000000000000A
hint: bring the host back and \`rotate retry 01JDH00000000000000000000A\`
`);
  });

  test('that is parked shortens the id where a command would not fit', () => {
    expect(drawn(parked(200), 40, 10)).toBe(`
prod/db-pas…  needs-attention  1 min 5 s
200 hosts: 1 failed, 199 verified
needs attention: the old value is not
revoked: web-200 may still hold it
  rotate retry 0000000A
  rotate skip 0000000A web-200
  --accept-loss
  rotate rollback 0000000A
  rotate abort 0000000A
…
`);
  });

  test('that is parked has its commands aligned where there is room', () => {
    expect(drawn(parked(1), 200, 60)).toBe(`
prod/db-password, api-key, smtp  needs-attention  1 min 5 s  01JDH00000000000000000000A  asked for by alice@laptop
          generate        encrypt         deploy          restart         verify          revoke
rotation  done 12s        done 3s         done 20s        done 5s         done 10s        failed 0s
web-1     done 9s                         failed 30s                                                      web-1 does not answer at 10.0.0.1:22

needs attention: the old value is not revoked: web-1 may still hold it
hint: bring the host back and \`rotate retry 01JDH00000000000000000000A\`
type one of these:
  rotate retry 01JDH00000000000000000000A                     tries again what failed
  rotate skip 01JDH00000000000000000000A web-1 --accept-loss  goes on without the host
  rotate rollback 01JDH00000000000000000000A                  undoes the rotation
  rotate abort 01JDH00000000000000000000A                     stops, and leaves everything as it is
`);
  });

  test('that is undone says so, and what goes back', () => {
    expect(drawn(undoing(3), 120, 24)).toBe(`
prod/db-password  running, undoing  1 min 5 s  01JDH00000000000000000000A  asked for by alice@laptop
          generate        encrypt         deploy          restart         verify          revoke
rotation  done 12s        done 3s         done 20s        done 5s         failed 10s      ·
web-1     done 9s                         done 20s        done 5s         done 4s
web-2     done 9s                         done 20s        done 5s         done 4s
web-3     done 9s                         running 10s     done 5s         failed 10s                      going back

undoing: web-3: app.service failed
`);
  });

  test('that is undone shows first what goes back', () => {
    expect(drawn(undoing(20), 40, 10)).toBe(`
prod/db-pa…  running, undoing  1 min 5 s
01JDH00000000000000000000A
asked for by alice@laptop
verify failed 10s
web-20  deploy running 10s
  going back
web-1   verify done 4s
web-2   verify done 4s
and 17 hosts more: 17 verified
undoing: web-20: app.service failed
`);
  });

  test('that is done', () => {
    expect(drawn(done(3), 80, 24)).toBe(`
prod/db-password  done  1 min
01JDH00000000000000000000A  asked for by alice@laptop
          generate  encrypt  deploy   restart  verify   revoke
rotation  done      done     done     done     done     done
time      12s       3s       20s      5s       10s      10s
web-1     done               done     done     done
web-2     done               done     done     done
web-3     done               done     done     done

prod/db-password is rotated, and the old value is proven dead
`);
  });

  test('that is done counts its hosts', () => {
    expect(drawn(done(200), 200, 10)).toBe(`
prod/db-password  done  1 min  01JDH00000000000000000000A  asked for by alice@laptop
          generate        encrypt         deploy          restart         verify          revoke
rotation  done 12s        done 3s         done 20s        done 5s         done 10s        done 10s
web-1     done 9s                         done 20s        done 5s         done 4s
web-2     done 9s                         done 20s        done 5s         done 4s
web-3     done 9s                         done 20s        done 5s         done 4s
web-4     done 9s                         done 20s        done 5s         done 4s
web-5     done 9s                         done 20s        done 5s         done 4s
and 195 hosts more: 195 verified
prod/db-password is rotated, and the old value is proven dead
`);
  });

  test('without a terminal is as wide as it has to be, and shows every host', () => {
    const all = lines(running(200), { columns: Number.POSITIVE_INFINITY });
    expect(all).toHaveLength(203);
    expect(all.find((line) => line.startsWith('web-151 '))).toMatch(/exit code 1 after 3 s$/);
  });

  test('of a batch names as many secrets as fit, and counts the others', () => {
    const batch = sample({ secrets: ['db-password', 'api-key', 'smtp', 'session-key'] });
    expect([200, 70, 60, 40].map((columns) => lines(batch, { columns })[0])).toEqual([
      'prod/db-password, api-key, smtp, session-key  running  1 min 5 s  01JDH00000000000000000000A  asked for by alice@laptop',
      'prod/db-password, api-key, smtp, session-key  running  1 min 5 s',
      'prod/db-password, api-key and 2 more  running  1 min 5 s',
      'prod/db-password an…  running  1 min 5 s',
    ]);
  });

  test('says what is tried again, when, and why', () => {
    const underWay: Retry = { activity: 'copy', key: 'b', attempt: 2, reason: copy.reason };
    expect(lines(running(1), { columns: 120, retries: [underWay, copy] }).slice(-2)).toEqual([
      'copy is tried again in 8 s, attempt 4: web-1 does not answer at 10.0.0.1:22 (HostUnreachable)',
      'copy is tried again now, attempt 2: web-1 does not answer at 10.0.0.1:22 (HostUnreachable)',
    ]);
    const many = Array.from({ length: 5 }, (_, i) => ({ ...copy, attempt: i + 2 }));
    expect(lines(running(1), { columns: 120, retries: many }).slice(-2)).toEqual([
      'copy is tried again in 8 s, attempt 4: web-1 does not answer at 10.0.0.1:22 (HostUnreachable)',
      'and 2 more are tried again',
    ]);
  });

  test('says until when the old value is kept, and when it is proved again', () => {
    const waits = (what: 'old-value' | 'prove-again'): string | undefined =>
      lines(sample({ state: 'waiting', waitingFor: { what, until: after(7 * 86_400) } }), {
        columns: 200,
      }).at(-1);
    expect(waits('old-value')).toBe(
      'waits with the old value in the files until 2026-11-30 12:00:00 UTC (6 days): a second deploy then leaves it out',
    );
    expect(waits('prove-again')).toBe(
      'waits to prove again that the old value is dead until 2026-11-30 12:00:00 UTC (6 days): it is gone and was refused',
    );
  });

  test('asks for what only a person can do, and says that it tries by itself too', () => {
    const asking = sample({
      state: 'needs-attention',
      reason: { type: 'NeedsPerson', message: 'revoke key 7 at the vendor' },
      waitingFor: { what: 'person', words: ['confirm', 'retry', 'abort'], triesAgain: true },
    });
    expect(lines(asking, { columns: 100 }).slice(-5)).toEqual([
      'needs attention: revoke key 7 at the vendor',
      'type one of these (it also tries again by itself):',
      '  rotate confirm 01JDH00000000000000000000A  says that you have done it',
      '  rotate retry 01JDH00000000000000000000A    tries again what failed',
      '  rotate abort 01JDH00000000000000000000A    stops, and leaves everything as it is',
    ]);
  });

  test('names some of many hosts that can be skipped', () => {
    const hosts = Array.from({ length: 9 }, (_, i) => `web-${i + 1}`);
    const status = { ...parked(9), waitingFor: { what: 'person' as const, words: ['skip' as const], hosts } };
    expect(lines(status, { columns: 120 }).slice(-3)).toEqual([
      '  rotate skip 01JDH00000000000000000000A web-1 --accept-loss  goes on without the host',
      '  rotate skip 01JDH00000000000000000000A web-2 --accept-loss  goes on without the host',
      '  rotate skip 01JDH00000000000000000000A web-3 --accept-loss  goes on without the host; so for 6 other hosts',
    ]);
  });

  test('of a worker that says less is drawn all the same', () => {
    const { by: _, waitingFor: __, ...old } = parked(1);
    const text = lines(old, { columns: 120 }).join('\n');
    expect(text).toContain('rotate retry 01JDH00000000000000000000A');
    expect(text).not.toContain('asked for by');
    expect(lines({ ...sample({ state: 'waiting' }) }).at(-1)).toBe('waits');
  });

  test('takes no more room with colour, and says nothing by colour alone', () => {
    for (const status of [running(20), soaking(3), parked(3), undoing(3), done(3)])
      for (const columns of [40, 80, 120]) {
        const bare = lines(status, { columns, rows: 24, paint: coloured }).map((line) =>
          // oxlint-disable-next-line no-control-regex
          line.replaceAll(/\u001B\[\d+m/g, ''),
        );
        expect(bare).toEqual(lines(status, { columns, rows: 24 }));
      }
  });
});

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 200 }),
  fc.constantFrom(
    '',
    '\u001B[2J\u001B]0;x\u0007',
    'a\nb\r\nc\td',
    '日本語'.repeat(30),
    'x'.repeat(300),
    '❤️ 👩‍👩‍👧',
    '\u202Eabc',
  ),
);
const second = fc.option(fc.integer({ min: 0, max: 100_000 }), { nil: undefined });
const stepState = fc.constantFrom('pending', 'running', 'done', 'failed', 'undone', 'skipped');
const anyStatus = fc
  .record({
    secrets: fc.array(text, { minLength: 1, maxLength: 5 }),
    environment: text,
    by: fc.option(text, { nil: undefined }),
    state: fc.constantFrom(...rotationStates),
    message: fc.option(text, { nil: undefined }),
    hint: text,
    what: fc.option(fc.constantFrom('soak', 'old-value', 'prove-again', 'person'), { nil: undefined }),
    words: fc.uniqueArray(fc.constantFrom(...personWords)),
    names: fc.uniqueArray(text, { maxLength: 25 }),
    steps: fc.array(fc.record({ state: stepState, attempts: fc.nat(120), from: second, to: second }), {
      minLength: 6,
      maxLength: 6,
    }),
    cells: fc.array(
      fc.record({ state: stepState, message: fc.option(text, { nil: undefined }), from: second }),
      {
        minLength: 1,
        maxLength: 40,
      },
    ),
  })
  .map((made): RotationStatus => {
    const moment = (key: string, seconds: number | undefined) =>
      seconds === undefined ? {} : { [key]: after(seconds) };
    return {
      id: '01JDH00000000000000000000A',
      environment: made.environment,
      secrets: made.secrets,
      state: made.state,
      startedAt: after(0),
      ...(made.by === undefined ? {} : { by: made.by }),
      ...(made.message === undefined
        ? {}
        : { reason: { type: 'StillInUse' as const, message: made.message, hint: made.hint } }),
      ...(made.what === undefined
        ? {}
        : { waitingFor: { what: made.what, until: after(600), words: made.words, hosts: made.names } }),
      steps: made.steps.map(({ state, attempts, from, to }, i) => ({
        name: stepNames[i] ?? 'generate',
        state,
        attempts,
        ...moment('startedAt', from),
        ...moment('endedAt', to),
        hosts: made.names.flatMap((name, n) => {
          const cell = made.cells[(n * 7 + i) % made.cells.length];
          if (cell === undefined || (n + i) % 4 === 0) return [];
          const said = cell.message === undefined ? {} : { message: cell.message };
          return [{ name, state: cell.state, ...said, ...moment('startedAt', cell.from) }];
        }),
      })),
    };
  });

describe('whatever hosts say, and however large the terminal is', () => {
  test('no line is wider than it, there are no more lines than it has, and none commands it', () => {
    fc.assert(
      fc.property(
        anyStatus,
        fc.integer({ min: 1, max: 220 }),
        fc.integer({ min: 1, max: 70 }),
        text,
        (status, columns, rows, said) => {
          const retries = [{ ...copy, reason: { ...copy.reason, message: said } }];
          const all = lines(status, { columns, rows, notice: said, retries });
          expect(all.length).toBeLessThanOrEqual(rows);
          for (const line of all) {
            expect(displayWidth(line)).toBeLessThanOrEqual(columns);
            // oxlint-disable-next-line no-control-regex
            expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  test('the secret, the state and what can be typed are there on every terminal of 40 columns and 10 lines', () => {
    fc.assert(
      fc.property(fc.integer({ min: 40, max: 220 }), fc.integer({ min: 10, max: 70 }), (columns, rows) => {
        for (const hosts of [1, 3, 20, 200]) {
          const said = lines(parked(hosts), { columns, rows }).join(' ');
          for (const part of [
            'prod/db-pas',
            'needs-attention',
            'rotate retry ',
            'rotate rollback ',
            'rotate abort ',
          ])
            expect(said).toContain(part);
          expect(said.replaceAll(/ +/g, ' ')).toMatch(
            new RegExp(`rotate skip \\w+ web-${hosts} --accept-loss`),
          );
        }
      }),
      { numRuns: 100 },
    );
  });

  test('every host is shown or counted', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(running, soaking, undoing, done),
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 40, max: 220 }),
        fc.integer({ min: 10, max: 70 }),
        (make, hosts, columns, rows) => {
          const all = lines(make(hosts), { columns, rows });
          const shown = all.filter((line) => /^web-\d+ /.test(line)).length;
          const counted = all.map((line) => /^(?:and )?(\d+) hosts?(?: more)?: /.exec(line)?.[1]);
          expect(shown + Number(counted.find((n) => n !== undefined) ?? 0)).toBe(hosts);
        },
      ),
      { numRuns: 200 },
    );
  });
});
