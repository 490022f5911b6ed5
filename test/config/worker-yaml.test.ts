import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadWorkerYaml, parseWorkerYaml } from '../../config/worker-yaml.js';
import { errorOf, rejectionOf } from './errors.js';
import { unmark } from './marked.js';

const example = readFileSync(join(import.meta.dirname, 'fixtures/worker.yaml'), 'utf8');

test('the example is read', () => {
  expect(parseWorkerYaml(example, '/etc/rotate/worker.yaml')).toEqual({
    repo: 'ssh://git@forge.example/infra.git',
    state: '/var/lib/rotate',
    identities: ['/run/credentials/rotate/identity.txt'],
    codecKeys: ['/run/credentials/rotate/codec.key'],
    ssh: {
      identityFile: '/run/credentials/rotate/id_ed25519',
      agent: false,
      knownHosts: '/etc/ssh/ssh_known_hosts',
    },
    logins: { 'app-admin': { type: 'file', path: '/run/credentials/rotate/app-admin.url' } },
    commands: {},
    temporal: { profile: 'default' },
    notify: { channels: [] },
  });
});

const small = `version: 1
repo: ../infra.git
identities: [keys/id.txt]
codecKeys: [keys/codec.key]
ssh: { agent: true }
`;

test('what is left out has its default, and relative paths are relative to the file', () => {
  const to = 'to: [https://API.vendor.example, https://b.example:8443/]';
  const text = `${small}logins:\n  a: { file: a.url }\n  b: { store: ./secrets/b.age, ${to} }\n`;
  expect(parseWorkerYaml(text, '/srv/rotate/worker.yaml')).toEqual({
    repo: '/srv/infra.git',
    state: '/var/lib/rotate',
    identities: ['/srv/rotate/keys/id.txt'],
    codecKeys: ['/srv/rotate/keys/codec.key'],
    ssh: { agent: true, knownHosts: '/etc/ssh/ssh_known_hosts' },
    logins: {
      a: { type: 'file', path: '/srv/rotate/a.url' },
      b: {
        type: 'store',
        path: 'secrets/b.age',
        to: ['https://api.vendor.example', 'https://b.example:8443'],
      },
    },
    commands: {},
    temporal: { profile: 'default' },
    notify: { channels: [] },
  });
});

test('commands are programs with their arguments, by absolute path, by a path beside the file, or by name', () => {
  const text = `${small}commands:
  a: { command: [/opt/a, --x], timeout: 5s }
  b: { command: [bin/b, c/d] }
  c: { command: [curl] }
`;
  expect(parseWorkerYaml(text, '/srv/rotate/worker.yaml').commands).toEqual({
    a: { argv: ['/opt/a', '--x'], timeoutMs: 5_000 },
    b: { argv: ['/srv/rotate/bin/b', 'c/d'], timeoutMs: 15_000 },
    c: { argv: ['curl'], timeoutMs: 15_000 },
  });
});

test.each([
  ['ssh://git@forge.example/infra.git'],
  ['git@forge.example:infra.git'],
  ['https://forge.example/infra.git'],
  ['file:///srv/infra.git'],
  ['/srv/infra.git'],
])('the remote %s stays as it is', (remote) => {
  expect(parseWorkerYaml(small.replace('../infra.git', remote), '/x/worker.yaml').repo).toBe(remote);
});

const remoteHint =
  'for example `ssh://git@forge.example/infra.git`, `https://…`, or the path of a bare repository';

describe('each mistake is told with its line, column, key path and hint', () => {
  test.each([
    [
      'no way to log in',
      small.replace('ssh: { agent: true }', '▸ssh: {}'),
      'ssh: says no way to log in to hosts',
      'add `identityFile: PATH`, or `agent: true`',
    ],
    [
      'two ways to log in',
      small.replace('agent: true', 'agent: ▸true, identityFile: x'),
      'ssh.agent: `identityFile` and `agent` exclude each other',
      'remove one of them',
    ],
    [
      'no identity',
      small.replace('[keys/id.txt]', '▸[]'),
      'identities: must have at least 1 entry',
      undefined,
    ],
    [
      'a misspelt key',
      small.replace('codecKeys', '▸codecKey'),
      'codecKey: unknown key `codecKey`, did you mean `codecKeys`?',
      'rename it to `codecKeys`',
    ],
    [
      'a remote helper',
      small.replace('../infra.git', '▸"ext::sh -c id"').replace('sh -c id', 'sh'),
      'repo: must not name a remote helper, which can run any command',
      remoteHint,
    ],
    [
      'an option as remote',
      small.replace('../infra.git', '▸--upload-pack=x'),
      'repo: is not the remote of a git repository',
      remoteHint,
    ],
    [
      'an unauthenticated remote',
      small.replace('../infra.git', '▸git://x/y'),
      'repo: must not use git://, where nobody proves who he is',
      'use ssh:// or https://',
    ],
    [
      'a remote with a password',
      small.replace('../infra.git', '▸https://me:hunter2@x/y'),
      'repo: must not contain a password',
      'use an SSH key, or a git credential helper',
    ],
    [
      'a login without a place',
      `${small}logins:\n  ▸a: {}\n`,
      'logins.a: says no place of the login',
      'each login has exactly one of `file` and `store`',
    ],
    [
      'a login with two places',
      `${small}logins:\n  ▸a: { file: x, store: y }\n`,
      'logins.a: says two places of the login',
      'each login has exactly one of `file` and `store`',
    ],
    [
      'a login that may be sent to a path',
      `${small}logins:\n  a: { file: x, to: [▸https://api.vendor.example/v1] }\n`,
      'logins.a.to[0]: must be the origin of a URL, such as https://api.example.com',
      undefined,
    ],
    [
      'a login in the clear',
      `${small}logins:\n  a: ▸postgres://a:hunter2@x\n`,
      'logins.a: must be a mapping, not a single value',
      undefined,
    ],
    [
      'a command as text for a shell',
      `${small}commands:\n  a: { command: ▸curl -u hunter2 }\n`,
      'commands.a.command: must be a list, not text',
      undefined,
    ],
    [
      'a command that takes longer than an attempt',
      `${small}commands:\n  a: { command: [x], timeout: ▸1m }\n`,
      'commands.a.timeout: must be at most 25s',
      undefined,
    ],
    [
      'a command without a program',
      `${small}commands:\n  ▸a: { timeout: 1s }\n`,
      'commands.a.command: is missing',
      'add `command`',
    ],
    [
      'a key in the clear',
      small.replace('[keys/codec.key]', '▸hunter2'),
      'codecKeys: must be a list, not text',
      undefined,
    ],
  ])('%s', (_title, marked, message, hint) => {
    const { text, places } = unmark(marked);
    const [place] = places;
    const error = errorOf(() => parseWorkerYaml(text, '/x/worker.yaml', 'worker.yaml'));
    expect(error.type).toBe('BadConfig');
    expect(error.message).toBe(`worker.yaml:${place?.line}:${place?.column}: ${message}`);
    expect(error.hint).toBe(hint ?? `correct worker.yaml, line ${place?.line}`);
    expect(JSON.stringify([error.message, error.hint, error.details])).not.toContain('hunter2');
  });
});

describe('the file', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'rotate-worker-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  test('is read, with paths relative to its own folder', async () => {
    const path = join(folder, 'worker.yaml');
    writeFileSync(path, small);
    expect((await loadWorkerYaml(path)).identities).toEqual([join(folder, 'keys/id.txt')]);
  });

  test('that every user may write is refused', async () => {
    const path = join(folder, 'worker.yaml');
    writeFileSync(path, small);
    chmodSync(path, 0o646);
    expect(await rejectionOf(loadWorkerYaml(path))).toMatchObject({
      type: 'BadConfig',
      message: `${path} can be written by every user`,
      hint: `chmod o-w ${path}`,
    });
  });

  test('that is not there is told by its path', async () => {
    const path = join(folder, 'none.yaml');
    expect(await rejectionOf(loadWorkerYaml(path))).toMatchObject({
      type: 'BadConfig',
      message: `cannot read ${path}: there is no such file (ENOENT)`,
    });
  });
});
