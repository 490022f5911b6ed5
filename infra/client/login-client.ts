/**
 * The independent client: a program that logs in to PostgreSQL as an application on a host would, ten times a
 * second, and reads the host's file anew before each login. It runs in the host's network namespace and looks at the
 * host's files from outside, because hosts have no Node.
 *
 *   node login-client.js --host FOLDER --file /run/agenix/db --variable DATABASE_URL [--rate 10] [--log FILE]
 *   node login-client.js --root / --file … (this machine instead of a host of the lab)
 *
 * A line of JSON a login goes to the log, or else to stdout. On SIGTERM or SIGINT it lets the logins under way end, prints
 * the summary as the last line of stdout, and exits with 0.
 */
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { logIn, rootOfHost } from './login.js';
import type { Login, LoginSource } from './login.js';
import { startTally } from './tally.js';

/** Logins under way at once; more would be a load test. */
const mostAtOnce = 20;

function usage(problem: string): never {
  process.stderr.write(`login-client: ${problem}\n`);
  process.exit(2);
}

const { values } = parseArgs({
  options: {
    host: { type: 'string' },
    root: { type: 'string' },
    file: { type: 'string' },
    variable: { type: 'string', default: 'DATABASE_URL' },
    rate: { type: 'string', default: '10' },
    timeout: { type: 'string', default: '5000' },
    log: { type: 'string' },
  },
});
const { host, root, file, log } = values;
if (file === undefined) usage('--file is missing');
if ((host === undefined) === (root === undefined)) usage('needs either --host or --root');
const rate = Number(values.rate);
const timeoutMs = Number(values.timeout);
if (!(rate > 0) || !(timeoutMs > 0)) usage('--rate and --timeout are numbers above 0');

const source: LoginSource = {
  root: host === undefined ? () => root : rootOfHost(host),
  file,
  variable: values.variable,
  timeoutMs,
};
const out = log === undefined ? process.stdout : createWriteStream(log, { flags: 'a', mode: 0o600 });
const stopping = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.abort());
// Whoever wanted to know is gone, perhaps by SIGKILL: nobody would ever end us.
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) stopping.abort();
}, 1_000).unref();

const tally = startTally();
const underWay = new Set<Promise<void>>();

function report(login: Login): void {
  tally.add(login);
  out.write(`${JSON.stringify(login)}\n`);
}

// By the clock and not one after the other: a login that hangs must not keep the others from being tried.
let due = performance.now();
while (!stopping.signal.aborted) {
  if (underWay.size < mostAtOnce) {
    const login: Promise<void> = logIn(source)
      .then(report)
      .finally(() => underWay.delete(login));
    underWay.add(login);
  } else {
    tally.addLate();
  }
  due = Math.max(due + 1000 / rate, performance.now() - 1000);
  await sleep(Math.max(0, due - performance.now()), undefined, { signal: stopping.signal }).catch(
    () => undefined,
  );
}
const { longestGapMs } = tally.summary(); // waiting for the last ones is no gap
await Promise.all(underWay);
if (out !== process.stdout) {
  out.end();
  await finished(out);
}
// A connection that hangs would keep the process alive.
process.stdout.write(`${JSON.stringify({ ...tally.summary(), longestGapMs })}\n`, () => process.exit(0));
