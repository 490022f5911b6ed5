/**
 * Things on their way, held up: so that a fault comes exactly then, however slow the machine is. Each hold catches
 * what comes next, once.
 */
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Example } from '../../infra/fleet/example.js';
import { projectRoot } from '../../infra/fleet/lab.js';
import { run, type RunOptions, type RunResult } from '../../infra/fleet/run.js';

/** A busy machine is slow; nothing here is about how long something takes. */
export const patienceMs = 480_000;

/** Something that is on its way to take effect, and stands. */
export interface Held {
  /** Resolves when it has come and stands. */
  caught(): Promise<void>;
  /** Lets it go on; without effect when it has gone. */
  release(): Promise<void>;
}

export async function until(what: string, done: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + patienceMs; !(await done()); await sleep(300))
    if (Date.now() > end) throw new Error(`it did not come to it: ${what}`);
}

/** Runs a script on a host as root, without its network. */
export function onHost(
  { lab }: Example,
  host: string,
  script: string,
  options: RunOptions = {},
): Promise<RunResult> {
  const program = join(projectRoot, 'infra', 'lab', 'lab.sh');
  return run('bash', [program, 'exec', host, 'sh', '-c', script], {
    ...options,
    env: { ...process.env, LAB: lab.name },
  });
}

async function holds(example: Example, host: string, test: string): Promise<boolean> {
  return (await onHost(example, host, test, { accept: [0, 1] })).code === 0;
}

const gates = 'mkdir -p /run/hold; chmod 777 /run/hold';

/** Holds what stands while GATE is there, and says so by GATE.held. */
function standing(example: Example, host: string, gate: string): Held {
  return {
    caught: () => until(`${gate} on ${host}`, () => holds(example, host, `test -e ${gate}.held`)),
    release: async () => {
      await onHost(example, host, `rm -f ${gate} ${gate}.held`);
    },
  };
}

const psql = '/usr/lib/postgresql/17/bin/psql';

/** Holds the next script for psql on db-1 that contains `word`: it has been sent, and does nothing yet. */
export async function holdSql(
  example: Example,
  word: string,
): Promise<Held & { exitCode(): Promise<number> }> {
  const gate = '/run/hold/psql';
  const script = `#!/bin/sh
[ -e ${gate} ] || exec ${psql}.real "$@"
read -r word < ${gate}
text=$(cat)
case $text in *"$word"*)
  if mv ${gate} ${gate}.held 2>/dev/null; then late=1; while [ -e ${gate}.held ]; do sleep 0.1; done; fi ;;
esac
printf '%s\\n' "$text" | ${psql}.real "$@"
code=$?
[ -z "\${late:-}" ] || echo $code > ${gate}.exit
exit $code
`;
  await onHost(
    example,
    'db-1',
    `${gates}; rm -f ${gate}*; [ -e ${psql}.real ] || mv ${psql} ${psql}.real
cat > ${psql}.new; chmod 755 ${psql}.new; mv ${psql}.new ${psql}
printf '%s\\n' '${word}' > ${gate}; chmod 666 ${gate}`,
    { input: script },
  );
  return {
    ...standing(example, 'db-1', gate),
    /** Waits for the end of what was held. */
    async exitCode() {
      await until('the end of psql', () => holds(example, 'db-1', `test -s ${gate}.exit`));
      return Number((await onHost(example, 'db-1', `cat ${gate}.exit`)).stdout);
    },
  };
}

/** Holds the next start of one of rotate's jobs on a host: all is prepared, and systemd has not been told. */
export async function holdJobStart(example: Example, host: string): Promise<Held> {
  const gate = '/run/hold/job';
  const path = '/run/wrappers/bin/systemd-run';
  const script = `#!/bin/sh
case $* in *--unit=rotate-*)
  if mv ${gate} ${gate}.held 2>/dev/null; then while [ -e ${gate}.held ]; do sleep 0.1; done; fi ;;
esac
exec /run/current-system/sw/bin/systemd-run "$@"
`;
  await onHost(
    example,
    host,
    `${gates}; rm -f ${gate}*; mkdir -p ${dirname(path)}
cat > ${path}.new; chmod 755 ${path}.new; mv ${path}.new ${path}; : > ${gate}`,
    { input: script },
  );
  return standing(example, host, gate);
}

/** Holds the next switch of a host half-way, between stopping and starting units. */
export async function holdSwitch(example: Example, host: string): Promise<Held> {
  // Processes end while grep reads of them, which is no error here.
  const asleep = '{ grep -lsxz 8639[9] /proc/[0-9]*/cmdline || :; }';
  await onHost(example, host, 'echo 86399 > /etc/lab/slow');
  return {
    caught: () => until(`a switch of ${host}`, () => holds(example, host, `${asleep} | grep -q .`)),
    release: async () => {
      await onHost(
        example,
        host,
        `rm -f /etc/lab/slow; for p in $(${asleep}); do p=\${p%/cmdline}; kill "\${p#/proc/}" || :; done`,
      );
    },
  };
}

/** Holds the next start of the app on a host. */
export async function holdApp(example: Example, host: string): Promise<Held> {
  const gate = '/run/hold/app';
  const folder = '/run/systemd/system/app.service.d';
  await onHost(
    example,
    host,
    `${gates}; rm -f ${gate}*; mkdir -p ${folder}; cat > ${folder}/hold.conf; systemctl daemon-reload; : > ${gate}`,
    {
      input: `[Service]
ExecStartPre=+/bin/sh -c 'if mv ${gate} ${gate}.held; then while [ -e ${gate}.held ]; do sleep 0.1; done; fi'
TimeoutStartSec=infinity
`,
    },
  );
  const held = standing(example, host, gate);
  return {
    ...held,
    release: async () => {
      await held.release();
      await onHost(example, host, `rm -rf ${folder}; systemctl daemon-reload`);
    },
  };
}

/** The user's own probe in the fleets of these tests; see {@link holdVerify}. */
export const probe = {
  command: [
    '/bin/sh',
    '-c',
    'while [ -e /run/hold/verify ]; do : > /run/hold/verify.held; sleep 0.2; done; rm -f /run/hold/verify.held',
  ],
  timeout: '5m',
};

/** Holds the verification of a host in its last check. */
export async function holdVerify(example: Example, host: string): Promise<Held> {
  await onHost(example, host, `${gates}; : > /run/hold/verify`);
  return standing(example, host, '/run/hold/verify');
}

/** Holds the next push to a ref that matches `pattern` (of the shell), at the remote. */
export async function holdPush({ bare, folder }: Example, pattern: string): Promise<Held> {
  const hook = join(bare, 'hooks', 'update');
  const gate = join(folder, 'hold-push');
  await mkdir(dirname(hook), { recursive: true });
  await rm(`${gate}.held`, { force: true });
  await writeFile(gate, '');
  await writeFile(
    hook,
    `#!/bin/sh
case $1 in ${pattern})
  if mv '${gate}' '${gate}.held' 2>/dev/null; then while [ -e '${gate}.held' ]; do sleep 0.1; done; fi ;;
esac
`,
  );
  await chmod(hook, 0o755);
  return {
    caught: () =>
      until('a push', async () => (await run('test', ['-e', `${gate}.held`], { accept: [0, 1] })).code === 0),
    async release() {
      for (const file of [gate, `${gate}.held`, hook]) await rm(file, { force: true });
    },
  };
}
