import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { gitFailure, saysBrokenClone } from '../../repo/git-failure.js';
import { gitAt, gitEnvironment, gitText, runGit, sshCommand } from '../../repo/git.js';
import { redactUrls, tellOutput } from '../../repo/redact.js';
import { temporaryFolder } from './fixtures.js';

async function place() {
  const folder = await temporaryFolder();
  const environment = { ...gitEnvironment({ PATH: process.env['PATH'] }), HOME: folder };
  return { folder, environment, cwd: folder };
}

/** Puts a program named `name` that writes its pid and sleeps before everything else on the PATH. */
async function sleeper(folder: string, name: string): Promise<string> {
  const bin = join(folder, 'bin');
  await mkdir(bin, { recursive: true });
  const script = `#!/bin/sh\ntrap '' TERM\necho $$ > ${folder}/pid\nsleep 60 &\necho $! >> ${folder}/pid\nwait\nwait\n`;
  await writeFile(join(bin, name), script);
  await chmod(join(bin, name), 0o755);
  return bin;
}

async function isRunning(pid: number): Promise<boolean> {
  const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return state !== undefined && !/\) [ZX] /.test(state);
}

describe('runGit', () => {
  test('sees no variables but the known ones, never asks and runs no hooks', async () => {
    const at = await place();
    const environment = gitEnvironment(
      { PATH: process.env['PATH'], HOME: at.folder, DATABASE_URL: 'secret', GIT_DIR: '/nowhere' },
      { sshCommand: sshCommand({ identityFile: "/it's here/id" }) },
    );
    const git = gitAt({ environment, cwd: at.folder });
    await git({ args: ['init', '--quiet', '.'] });
    const shown = await gitText(git, { args: ['-c', 'alias.env=!env', 'env'] });
    expect(shown).not.toContain('secret');
    expect(shown).toContain('GIT_TERMINAL_PROMPT=0');
    expect(shown).toContain(`-i '/it'\\''s here/id'`);
    expect(shown).not.toContain('/nowhere');
    await mkdir(join(at.folder, '.git', 'hooks'), { recursive: true });
    await writeFile(join(at.folder, '.git', 'hooks', 'reference-transaction'), '#!/bin/sh\nexit 1\n', {
      mode: 0o755,
    });
    await git({
      args: ['-c', 'user.name=x', '-c', 'user.email=x@y', 'commit', '-q', '--allow-empty', '-m', 'x'],
    });
    expect(await gitText(git, { args: ['rev-list', '--count', 'HEAD'] })).toBe('1');
  });

  test('a git that hangs is ended with all that it started, and called unreachable on the network', async () => {
    const at = await place();
    const bin = await sleeper(at.folder, 'ssh');
    const environment = { ...at.environment, PATH: `${bin}:${process.env['PATH'] ?? ''}` };
    const fetch = { args: ['ls-remote', 'ssh://git@forge.example/infra.git'], network: true, timeoutMs: 500 };
    await expect(runGit({ ...at, environment }, fetch)).rejects.toMatchObject({ type: 'GitUnreachable' });
    const pids = (await readFile(join(at.folder, 'pid'), 'utf8')).trim().split('\n').map(Number);
    expect(pids).toHaveLength(2);
    await expect.poll(() => Promise.all(pids.map(isRunning)), { timeout: 5_000 }).toEqual([false, false]);
  });

  test('an abort ends git and gives the reason', async () => {
    const at = await place();
    const bin = await sleeper(at.folder, 'ssh');
    const environment = { ...at.environment, PATH: `${bin}:${process.env['PATH'] ?? ''}` };
    const stop = new AbortController();
    const run = runGit(
      { ...at, environment },
      { args: ['ls-remote', 'ssh://git@forge.example/infra.git'], signal: stop.signal },
    );
    const reason = new Error('cancelled by a person');
    setTimeout(() => stop.abort(reason), 200);
    await expect(run).rejects.toBe(reason);
    await expect(runGit(at, { args: ['version'], signal: stop.signal })).rejects.toBe(reason);
  });

  test('a missing git is told as such', async () => {
    const at = await place();
    const run = runGit({ ...at, environment: { PATH: '/nowhere' } }, { args: ['version'] });
    await expect(run).rejects.toMatchObject({
      type: 'GitFailed',
      hint: expect.stringContaining('install git'),
    });
  });
});

describe('failures of the network', () => {
  test('a refused connection is unreachable; a name that does not resolve too', async () => {
    const at = await place();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address() as AddressInfo | null;
    await new Promise((resolve) => server.close(resolve));
    for (const url of [`http://127.0.0.1:${address?.port}/x.git`, 'ssh://git@no-such-host.invalid/x.git'])
      await expect(runGit(at, { args: ['ls-remote', url], network: true })).rejects.toMatchObject({
        type: 'GitUnreachable',
      });
  });

  test('a server that wants a password is an authentication failure, and a password in the address is not shown', async () => {
    const at = await place();
    const { createServer: createWeb } = await import('node:http');
    const web = createWeb((_, response) => response.writeHead(401, { 'www-authenticate': 'Basic' }).end());
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    const address = web.address() as AddressInfo | null;
    const url = `http://bob:hunter2@127.0.0.1:${address?.port}/x.git`;
    const failure = await runGit(at, { args: ['ls-remote', url], network: true }).catch(
      (error: unknown) => error,
    );
    web.close();
    expect(failure).toMatchObject({ type: 'GitAuthFailed', retryable: false });
    expect(String(failure)).not.toContain('hunter2');
  });

  test.each([
    [
      'GitAuthFailed',
      'git@forge: Permission denied (publickey).\nfatal: Could not read from remote repository.',
    ],
    ['GitAuthFailed', 'Host key verification failed.\nfatal: Could not read from remote repository.'],
    ['GitAuthFailed', "remote: Repository not found.\nfatal: repository 'https://x/y/' not found"],
    [
      'GitUnreachable',
      'ssh: connect to host forge port 22: Connection timed out\nfatal: Could not read from remote',
    ],
    ['GitUnreachable', 'kex_exchange_identification: Connection closed by remote host'],
    ['GitUnreachable', 'fatal: unable to access https://x: The requested URL returned error: 503'],
    ['GitConflict', "error: Unable to create '/x/clone.git/packed-refs.lock': File exists."],
    ['NoSpace', 'error: unable to write file x: No space left on device'],
    ['GitFailed', 'error: gpg failed to sign the data'],
    ['GitFailed', 'fatal: something new'],
  ])('%s is what "%s" means', (type, words) => {
    expect(gitFailure('git fetch', 128, words).type).toBe(type);
  });

  test('what git adds to every trouble with a remote is left out, where it has said more', () => {
    const advice =
      'fatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.\n';
    const said = "fatal: '/x' does not appear to be a git repository";
    expect(gitFailure('git fetch', 128, `${said}\n${advice}`)).toMatchObject({
      type: 'GitUnreachable',
      message: `git fetch failed: ${said}`,
    });
    expect(gitFailure('git fetch', 128, advice)).toMatchObject({
      type: 'GitUnreachable',
      message: expect.stringContaining('Could not read from remote repository'),
    });
  });

  test('damage of the clone is told apart', () => {
    expect(saysBrokenClone(gitFailure('git fetch', 128, 'error: object file x/y is empty'))).toBe(true);
    expect(saysBrokenClone(gitFailure('git fetch', 128, 'fatal: Connection refused'))).toBe(false);
  });
});

test('messages hold no credentials, no control characters and at most 4 KiB', () => {
  expect(redactUrls('fatal: https://bob:p@ss@x/y and ssh://git@x/y and ssh://git:pw@x/y')).toBe(
    'fatal: https://[redacted]@x/y and ssh://git@x/y and ssh://git:[redacted]@x/y',
  );
  expect(tellOutput('a\u001B[31mred\r\n\nb')).toBe('a [31mred; b');
  expect(tellOutput('x'.repeat(10_000)).length).toBe(4096);
});

test('ssh itself understands the command that git is given, whatever is in the paths', async () => {
  const identityFile = join(await temporaryFolder(), "it's mine");
  await writeFile(identityFile, '');
  const command = sshCommand({ identityFile, knownHosts: '/k h/known_hosts' });
  const { stdout } = await promisify(execFile)('sh', ['-c', `${command} -G forge.example`]);
  const settings = stdout.trim().split('\n');
  expect(settings).toContain(`identityfile ${identityFile}`);
  expect(settings).toContain('identitiesonly yes');
  expect(settings).toContain('userknownhostsfile /k h/known_hosts');
  expect(settings).toContain('batchmode yes');
  expect(settings).toContain('stricthostkeychecking true');
});
