/** `worker.yaml`: with what the worker works and who may ask it. On the worker only, never in the repo. */
import { stat } from 'node:fs/promises';
import { dirname, isAbsolute, resolve } from 'node:path';
import { RotateError } from '../domain/failure.js';
import { type Reader, createReader } from './fields.js';
import { type Problem, badConfig, sortProblems } from './problem.js';
import { type WorkerCommandSpec, readCommands } from './read-commands.js';
import { checkName } from './read-fleet.js';
import { type NotifySpec, readNotify } from './read-notify.js';
import { versionSchema } from './rotate-shapes.js';
import { readText } from './read-text.js';
import { loginShape, sshShape, temporalShape, workerShape } from './worker-shapes.js';
import { parseYaml } from './yaml-source.js';

/** Where an admin login is: a file on the worker, or an encrypted one in the repo (relative to its root). */
export interface LoginSpec {
  type: 'file' | 'store';
  path: string;
  /** Origins that it may be sent to, besides the server that a PostgreSQL URL names itself. */
  to?: readonly string[];
}

/** `worker.yaml`, resolved: paths are absolute. */
export interface WorkerSpec {
  /** As git takes it; a local repository as an absolute path. */
  repo: string;
  state: string;
  /** Newest first, at least one. */
  identities: readonly string[];
  /** Newest first, at least one. */
  codecKeys: readonly string[];
  ssh: {
    /** Absent: the agent is used. */
    identityFile?: string;
    agent: boolean;
    knownHosts: string;
  };
  logins: Readonly<Record<string, LoginSpec>>;
  /** Programs on the worker that rotate.yaml may name. */
  commands: Readonly<Record<string, WorkerCommandSpec>>;
  temporal: { profile: string };
  notify: NotifySpec;
}

/**
 * @param file absolute path of the file: relative paths in it are relative to its folder
 * @param name how the file is named in messages
 * @throws RotateError `BadConfig` that tells every mistake
 */
export function parseWorkerYaml(text: string, file: string, name: string = file): WorkerSpec {
  const { source, problems, broken } = parseYaml(text, name);
  if (broken) throw badConfig(name, problems);
  const reader = createReader(source);
  const spec = readWorker(reader, dirname(resolve(file)));
  const all: Problem[] = sortProblems([...problems, ...reader.problems]);
  if (all.length > 0 || spec === undefined) throw badConfig(name, all);
  return spec;
}

/**
 * {@link parseWorkerYaml} of the file at `path`. Whoever may write it decides what the worker trusts, so a file
 * that everyone may write is refused. Key files are not looked at: see `checkPrivateFile`.
 * @throws RotateError `BadConfig`
 */
export async function loadWorkerYaml(path: string): Promise<WorkerSpec> {
  const text = await readText(path);
  const { mode } = await stat(path);
  if ((mode & 0o002) !== 0) {
    throw new RotateError('BadConfig', `${path} can be written by every user`, { hint: `chmod o-w ${path}` });
  }
  return parseWorkerYaml(text, path);
}

function readWorker(reader: Reader, folder: string): WorkerSpec | undefined {
  const absolute = (path: string): string => resolve(folder, path);
  const top = reader.fields(
    { version: versionSchema, ...workerShape },
    [],
    ['ssh', 'logins', 'commands', 'temporal', 'notify'],
  );
  const ssh = reader.fields(sshShape, ['ssh']);
  const logins = readLogins(reader, absolute);
  const commands = readCommands(reader, absolute);
  const { profile } = reader.fields(temporalShape, ['temporal']);
  const notify = readNotify(reader, absolute);
  if (
    ssh.identityFile === undefined &&
    ssh.agent === false &&
    reader.raw(['ssh', 'identityFile']) === undefined
  ) {
    reader.problem(['ssh'], 'says no way to log in to hosts', {
      at: 'key',
      hint: 'add `identityFile: PATH`, or `agent: true`',
    });
  }
  if (ssh.identityFile !== undefined && ssh.agent === true) {
    reader.problem(['ssh', 'agent'], '`identityFile` and `agent` exclude each other', {
      hint: 'remove one of them',
    });
  }
  const { repo, state, identities, codecKeys } = top;
  if (repo === undefined || state === undefined || identities === undefined || codecKeys === undefined)
    return undefined;
  return {
    repo: isLocalPath(repo) ? absolute(repo) : repo,
    state: absolute(state),
    identities: identities.map(absolute),
    codecKeys: codecKeys.map(absolute),
    ssh: {
      ...(ssh.identityFile === undefined ? {} : { identityFile: absolute(ssh.identityFile) }),
      agent: ssh.agent ?? false,
      knownHosts: absolute(ssh.knownHosts ?? '/etc/ssh/ssh_known_hosts'),
    },
    logins,
    commands,
    temporal: { profile: profile ?? 'default' },
    notify,
  };
}

function readLogins(reader: Reader, absolute: (path: string) => string): Record<string, LoginSpec> {
  const logins: Record<string, LoginSpec> = {};
  for (const name of reader.keys(['logins'])) {
    const path = ['logins', name];
    checkName(reader, path);
    const before = reader.problems.length;
    const { file, store, to } = reader.fields(loginShape, path);
    if (reader.problems.length > before) continue;
    if ((file === undefined) === (store === undefined)) {
      reader.problem(
        path,
        file === undefined ? 'says no place of the login' : 'says two places of the login',
        {
          at: 'key',
          hint: 'each login has exactly one of `file` and `store`',
        },
      );
    } else if (file !== undefined) {
      logins[name] = { type: 'file', path: absolute(file), ...(to === undefined ? {} : { to }) };
    } else if (store !== undefined) {
      logins[name] = { type: 'store', path: store, ...(to === undefined ? {} : { to }) };
    }
  }
  return logins;
}

/** By git's own rule: no scheme, and no colon before the first slash (`host:path` is SSH). */
function isLocalPath(remote: string): boolean {
  return isAbsolute(remote) || !/^[^/]*:/.test(remote);
}
