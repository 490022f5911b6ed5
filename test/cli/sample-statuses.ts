/** Rotations in the middle, by hand: what the tests of the renderers draw. */
import type { RotationStatus, StepStatus } from '../../domain/status.js';
import { stepNames, type StepName, type StepState } from '../../domain/steps.js';

const beginning = Date.parse('2026-11-23T12:00:00Z');

/** RFC 3339, so many seconds after the rotation began. */
export function after(seconds: number): string {
  return new Date(beginning + seconds * 1_000).toISOString().replace('.000Z', 'Z');
}

/** Milliseconds since the epoch. */
export const now = beginning + 65_000;

type Told = readonly [state: StepState, from: number, to?: number | undefined, message?: string];
type Steps = Partial<
  Record<StepName, readonly [state: StepState, from: number, to?: number, attempts?: number]>
>;

type OnHost = Partial<Record<StepName, Told>>;

export interface Sample extends Partial<Omit<RotationStatus, 'steps'>> {
  of?: Steps;
  hosts?: Readonly<Record<string, OnHost>>;
}

export function sample({ of = {}, hosts = {}, ...rest }: Sample = {}): RotationStatus {
  return {
    id: '01JDH00000000000000000000A',
    environment: 'prod',
    secrets: ['db-password'],
    state: 'running',
    by: 'alice@laptop',
    startedAt: after(0),
    ...rest,
    steps: stepNames.map((name): StepStatus => {
      const [state, from, to, attempts = 1] = of[name] ?? (['pending', 0, undefined, 0] as const);
      return {
        name,
        state,
        attempts,
        ...(state === 'pending' ? {} : { startedAt: after(from) }),
        ...(to === undefined ? {} : { endedAt: after(to) }),
        hosts: Object.entries(hosts).flatMap(([host, told]) => {
          const here = told[name];
          if (here === undefined) return [];
          const [hostState, begun, ended, message] = here;
          return [
            {
              name: host,
              state: hostState,
              ...(message === undefined ? {} : { message }),
              startedAt: after(begun),
              ...(ended === undefined ? {} : { endedAt: after(ended) }),
            },
          ];
        }),
      };
    }),
  };
}

const through = {
  generate: ['done', 1, 10],
  deploy: ['done', 15, 35],
  restart: ['done', 35, 40],
  verify: ['done', 40, 44],
} as const satisfies Partial<Record<StepName, Told>>;

const deploying: Steps = {
  generate: ['done', 0, 12],
  encrypt: ['done', 12, 15],
  deploy: ['running', 15],
  restart: ['running', 35],
  verify: ['running', 40],
};

/** Three quarters of the hosts are through, then come one that failed, if there are several, and some on which it runs. */
export function running(hosts: number): RotationStatus {
  const first = Math.floor((hosts * 3) / 4);
  const begun = Math.max(1, Math.floor(hosts / 10));
  return sample({
    of: deploying,
    hosts: Object.fromEntries(
      Array.from({ length: hosts }, (_, i): [string, OnHost] => {
        const name = `web-${i + 1}`;
        if (hosts > 1 && i === first)
          return [
            name,
            { ...through, verify: ['failed', 40, 43, 'app.service failed: exit code 1 after 3 s'] },
          ];
        if (i < first) return [name, through];
        const { generate } = through;
        return [
          name,
          i <= first + begun ? { generate, deploy: ['running', 55, undefined, 'switching'] } : { generate },
        ];
      }),
    ),
  });
}

/** In the soak. */
export function soaking(hosts: number): RotationStatus {
  return sample({
    state: 'waiting',
    waitingFor: { what: 'soak', until: after(645) },
    of: {
      ...deploying,
      deploy: ['done', 15, 35, 2],
      restart: ['done', 35, 40],
      verify: ['running', 40],
    },
    hosts: allThrough(hosts),
  });
}

/** Before revoke: a host was skipped, and may still hold the old value. */
export function parked(hosts: number): RotationStatus {
  return sample({
    state: 'needs-attention',
    secrets: ['db-password', 'api-key', 'smtp'],
    waitingFor: {
      what: 'person',
      words: ['retry', 'skip', 'rollback', 'abort'],
      hosts: [`web-${hosts}`],
    },
    reason: {
      type: 'StillInUse',
      message: `the old value is not revoked: web-${hosts} may still hold it`,
      hint: 'bring the host back and `rotate retry`',
    },
    of: {
      ...deploying,
      deploy: ['done', 15, 35],
      restart: ['done', 35, 40],
      verify: ['done', 40, 50],
      revoke: ['failed', 50, 50],
    },
    hosts: {
      ...allThrough(hosts),
      [`web-${hosts}`]: {
        generate: through.generate,
        deploy: ['failed', 15, 45, `web-${hosts} does not answer at 10.0.0.${hosts}:22`],
      },
    },
  });
}

/** On its way back. */
export function undoing(hosts: number): RotationStatus {
  return sample({
    reason: { type: 'VerifyFailed', message: `web-${hosts}: app.service failed` },
    of: {
      ...deploying,
      deploy: ['done', 15, 35],
      restart: ['done', 35, 40],
      verify: ['failed', 40, 50],
    },
    hosts: {
      ...allThrough(hosts),
      [`web-${hosts}`]: {
        ...through,
        deploy: ['running', 55, undefined, 'going back'],
        verify: ['failed', 40, 50, 'app.service failed'],
      },
    },
  });
}

export function done(hosts: number): RotationStatus {
  return sample({
    state: 'done',
    endedAt: after(60),
    of: {
      generate: ['done', 0, 12],
      encrypt: ['done', 12, 15],
      deploy: ['done', 15, 35],
      restart: ['done', 35, 40],
      verify: ['done', 40, 50],
      revoke: ['done', 50, 60],
    },
    hosts: allThrough(hosts),
  });
}

function allThrough(hosts: number): Readonly<Record<string, typeof through>> {
  return Object.fromEntries(Array.from({ length: hosts }, (_, i) => [`web-${i + 1}`, through]));
}
