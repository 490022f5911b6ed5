/** Adds up logins: what a client reports at its end. */
import type { Login } from './login.js';

export interface Summary {
  logins: number;
  /** Logins that failed while the host was up. */
  failed: number;
  /** Logins that could not be tried, because the host was off or rebooted. */
  down: number;
  /** Logins that were due but not begun, because too many were under way. */
  late: number;
  /** The first 100 of them. */
  failures: Pick<Login, 'at' | 'code' | 'message' | 'replaced'>[];
  /** Longest time without a login that succeeded, from the client's start to its end, in milliseconds. */
  longestGapMs: number;
  /** Logins that succeeded, by role. */
  users: Record<string, number>;
  /** When the first and the last one began. */
  firstAt?: string;
  lastAt?: string;
}

export interface Tally {
  add(login: Login): void;
  addLate(): void;
  summary(): Summary;
}

/** @param now monotonic, in milliseconds */
export function startTally(now: () => number = () => performance.now()): Tally {
  const sums: Summary = { logins: 0, failed: 0, down: 0, late: 0, failures: [], longestGapMs: 0, users: {} };
  let lastSuccess = now();
  const gap = (): number => Math.round(now() - lastSuccess);
  return {
    add(login) {
      sums.logins += 1;
      sums.firstAt ??= login.at;
      sums.lastAt = login.at;
      if (login.ok) {
        sums.longestGapMs = Math.max(sums.longestGapMs, gap());
        lastSuccess = now();
        const user = login.user ?? '';
        sums.users[user] = (sums.users[user] ?? 0) + 1;
        return;
      }
      if (login.down === true) {
        sums.down += 1;
        return;
      }
      sums.failed += 1;
      if (sums.failures.length < 100) {
        const { at, code, message, replaced } = login;
        sums.failures.push({
          at,
          ...(code === undefined ? {} : { code }),
          ...(message === undefined ? {} : { message }),
          ...(replaced === undefined ? {} : { replaced }),
        });
      }
    },
    addLate() {
      sums.late += 1;
    },
    summary() {
      return { ...sums, longestGapMs: Math.max(sums.longestGapMs, gap()) };
    },
  };
}
