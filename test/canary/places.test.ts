import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import type { Finding, Place } from '../../infra/canary/place.js';
import { newDecoy, searchAll, searchPlace } from '../../infra/canary/place.js';
import { databasePlace } from '../../infra/canary/places/database.js';
import { diskPlace, filesPlace } from '../../infra/canary/places/disk.js';
import { gitPlace } from '../../infra/canary/places/git.js';
import { storePlace } from '../../infra/canary/places/nix-store.js';
import { processesPlace, ProcessSampler, runsInUnit } from '../../infra/canary/places/processes.js';
import { scratch } from './support.js';

const folder = scratch();
let made = 0;

function newFolder(): string {
  made += 1;
  const path = join(folder, String(made));
  mkdirSync(path);
  return path;
}

async function search(place: Place, value: string): Promise<Finding> {
  return await searchPlace(place, [{ name: 'value', value }], 30_000);
}

/** The search is proven, and finds nothing. */
async function expectClean(place: Place, value: string): Promise<void> {
  expect(await search(place, value)).toMatchObject({ proven: true, hits: [] });
}

/** The search is proven, and finds the value there. */
async function expectFound(place: Place, value: string, where: string): Promise<void> {
  const { proven, hits, problem } = await search(place, value);
  expect(problem).toBeUndefined();
  expect(proven).toBe(true);
  expect(hits.map((hit) => hit.where)).toContainEqual(expect.stringContaining(where));
}

describe('a database', () => {
  function newDatabase(): { path: string; server: DatabaseSync } {
    const path = join(newFolder(), 'server.db');
    const server = new DatabaseSync(path);
    server.exec('PRAGMA journal_mode = WAL; CREATE TABLE history (id INTEGER PRIMARY KEY, node BLOB) STRICT');
    afterAll(() => server.close());
    return { path, server };
  }

  it('is searched while its server has it open, and is not changed', async () => {
    const { path, server } = newDatabase();
    server.prepare('INSERT INTO history (node) VALUES (?)').run(Buffer.from('nothing'));
    const before = readFileSync(path);
    await expectClean(databasePlace('database', path), newDecoy());
    expect(readFileSync(path).equals(before)).toBe(true);
    server.exec('INSERT INTO history (node) VALUES (NULL)');
    expect(
      server.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE name LIKE '%decoy%'").get(),
    ).toMatchObject({ n: 0 });
  });

  it('shows a value that lies in its WAL only', async () => {
    const { path, server } = newDatabase();
    const value = newDecoy();
    server.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    server.prepare('INSERT INTO history (node) VALUES (?)').run(Buffer.from(value));
    expect(readFileSync(path).includes(value)).toBe(false);
    await expectFound(databasePlace('database', path), value, 'server.db-wal at');
  });

  it('shows a value that was deleted, and one that is compressed', async () => {
    const { path, server } = newDatabase();
    const [deleted, packed] = [newDecoy(), newDecoy()];
    server.prepare('INSERT INTO history VALUES (1, ?)').run(Buffer.from(deleted));
    server.exec('DELETE FROM history');
    server.prepare('INSERT INTO history VALUES (2, ?)').run(gzipSync(packed));
    await expectFound(databasePlace('database', path), deleted, 'server.db-wal at');
    await expectFound(databasePlace('database', path), packed, 'history.node (gzip)');
  });

  it('shows a value that is split over two pages of the file', async () => {
    const { path, server } = newDatabase();
    const value = newDecoy();
    // The pages of a long value part somewhere within these.
    server
      .prepare('INSERT INTO history VALUES (3, ?)')
      .run(Buffer.from(`${'.'.repeat(6000)}${value.repeat(400)}`));
    await expectFound(databasePlace('database', path), value, 'history.node at byte 6000');
  });

  it('that is not there is not taken for a clean one', async () => {
    const place = databasePlace('database', join(newFolder(), 'none.db'));
    expect(await search(place, newDecoy())).toMatchObject({ proven: false });
  });
});

describe('log files', () => {
  it('are searched to the last line', async () => {
    const file = join(newFolder(), 'worker.log');
    writeFileSync(file, 'started\n');
    await expectClean(filesPlace('worker log', [file]), newDecoy());
    const value = newDecoy();
    writeFileSync(file, JSON.stringify({ error: Buffer.from(value).toString('base64') }), { flag: 'a' });
    await expectFound(filesPlace('worker log', [file]), value, 'worker.log at');
  });
});

describe('a folder', () => {
  it('is searched with packed files, names, links, databases and repositories in it', async () => {
    const root = newFolder();
    const place = diskPlace('disk', [root]);
    await expectClean(place, newDecoy());
    expect(readdirSync(root)).toEqual([]);

    const [inGzip, inName, inLink, inDatabase, inRepository] = [0, 1, 2, 3, 4].map(newDecoy);
    mkdirSync(join(root, 'a/b'), { recursive: true });
    writeFileSync(join(root, 'a/b/log.gz'), gzipSync(`x${inGzip}`));
    writeFileSync(join(root, `a/${inName}`), '');
    symlinkSync(`/nowhere/${inLink}`, join(root, 'a/link'));
    const database = new DatabaseSync(join(root, 'a/cache.sqlite'));
    database.exec('CREATE TABLE cache (value TEXT)');
    database.prepare('INSERT INTO cache VALUES (?)').run(inDatabase ?? '');
    database.close();
    const repository = newRepository(join(root, 'cache.git'));
    commit(repository, inRepository ?? '');
    execFileSync('git', ['-C', repository, 'gc', '-q']);
    await expectFound(place, inGzip ?? '', 'a/b/log.gz (gzip)');
    await expectFound(place, inName ?? '', 'the name of a file in');
    await expectFound(place, inLink ?? '', 'a/link (link)');
    await expectFound(place, inDatabase ?? '', 'cache.sqlite, table cache.value');
    await expectFound(place, inRepository ?? '', 'cache.git/.git, blob');
  });

  it('is left out where it is told to, and where it is older than the run', async () => {
    const root = newFolder();
    const value = newDecoy();
    mkdirSync(join(root, 'out'));
    writeFileSync(join(root, 'out/file'), value);
    await expectClean(diskPlace('disk', [root], { exclude: [join(root, 'out')] }), value);
    // Nor are decoys found then: a search that starts too late proves nothing.
    const later = diskPlace('disk', [root], { since: new Date(Date.now() + 60_000) });
    expect(await search(later, value)).toMatchObject({ proven: false, hits: [] });
    await expectFound(diskPlace('disk', [root], { since: new Date(Date.now() - 60_000) }), value, 'out/file');
  });
});

function newRepository(path: string, ...options: string[]): string {
  execFileSync('git', ['init', '-q', ...options, path]);
  return path;
}

function commit(repository: string, content: string): void {
  writeFileSync(join(repository, 'file'), content);
  execFileSync('git', ['-C', repository, 'add', 'file']);
  execFileSync('git', [
    '-C',
    repository,
    '-c',
    'user.name=t',
    '-c',
    'user.email=t@t',
    'commit',
    '-qm',
    'change',
  ]);
}

describe('a repository', () => {
  it('shows a value in a packed object that no ref leads to', async () => {
    const repository = newRepository(newFolder());
    commit(repository, 'nothing');
    const place = gitPlace('clone', repository);
    await expectClean(place, newDecoy());
    const value = newDecoy();
    commit(repository, value);
    execFileSync('git', ['-C', repository, 'repack', '-adq']);
    execFileSync('git', ['-C', repository, 'reset', '-q', '--hard', 'HEAD^']);
    await expectFound(place, value, ', blob ');
  });

  it('shows a value in the name of a branch, in a reflog and in a checked out file', async () => {
    const repository = newRepository(newFolder());
    commit(repository, 'nothing');
    const [branch, file] = [newDecoy(), newDecoy()];
    execFileSync('git', ['-C', repository, 'branch', branch]);
    writeFileSync(join(repository, 'untracked'), file);
    await expectFound(gitPlace('clone', repository), branch, 'refs/heads');
    await expectFound(gitPlace('clone', repository), file, 'untracked');
  });

  it('that is bare is searched, and holds nothing of the decoy afterwards', async () => {
    const repository = newRepository(newFolder(), '--bare');
    await expectClean(gitPlace('remote', repository), newDecoy());
    const left = execFileSync('git', ['-C', repository, 'count-objects']).toString();
    // The empty tree that the decoy's commit names stays.
    expect(left).toMatch(/^1 objects/);
  });
});

describe('processes', () => {
  it('are seen with their arguments and environments, but for the environment of the app', async () => {
    const [inArgv, inEnviron, ofApp] = [newDecoy(), newDecoy(), newDecoy()];
    let app: number | undefined;
    const sampler = new ProcessSampler({ intervalMs: 50, excludeEnviron: ({ pid }) => pid === app });
    const child = spawn('sleep', ['30'], { env: { DATABASE_URL: ofApp }, stdio: 'ignore' });
    app = child.pid;
    sampler.start();
    const seen = spawn('sh', ['-c', 'sleep 0.5', inArgv], {
      env: { ...process.env, X: Buffer.from(inEnviron).toString('base64') },
      stdio: 'ignore',
    });
    await once(seen, 'exit');
    const [finding] = await searchAll(
      [processesPlace(sampler)],
      [inArgv, inEnviron, ofApp].map((value, i) => ({ name: String(i), value })),
    );
    sampler.stop();
    child.kill();
    expect(finding).toMatchObject({ proven: true });
    expect(finding?.hits).toEqual(
      expect.arrayContaining([
        { needle: '0', form: 'plain', where: expect.stringContaining('arguments of process') as string },
        { needle: '1', form: 'base64', where: expect.stringContaining('environment of process') as string },
      ]),
    );
    expect(finding?.hits.filter((hit) => hit.needle === '2')).toEqual([]);
  });

  it('are not taken for clean when the sampler did not run', async () => {
    expect(await search(processesPlace(new ProcessSampler()), newDecoy())).toMatchObject({
      proven: false,
      problem: 'no process was sampled',
    });
  });

  it('belong to a unit by their control group', () => {
    const ofApp = runsInUnit('app.service');
    expect(ofApp({ pid: 1, argv: [], cgroup: '0::/lab/web-1/system.slice/app.service\n' })).toBe(true);
    expect(ofApp({ pid: 1, argv: [], cgroup: '0::/lab/web-1/system.slice/app.service.d\n' })).toBe(false);
    expect(ofApp({ pid: 1, argv: [], cgroup: '0::/lab/web-1/system.slice/my-app.service\n' })).toBe(false);
  });
});

describe('a Nix store', () => {
  it('is searched with its paths, and forgets the decoy', async () => {
    const root = newFolder();
    const conf = newFolder();
    writeFileSync(join(conf, 'nix.conf'), `store = local?root=${root}\nbuild-users-group =\n`);
    const env = { ...process.env, NIX_CONF_DIR: conf, XDG_CACHE_HOME: newFolder() };
    const place = storePlace('store', root, env);
    await expectClean(place, newDecoy());
    expect(readdirSync(join(root, 'nix/store')).filter((path) => path.endsWith('decoy'))).toEqual([]);
    const value = newDecoy();
    const source = join(newFolder(), 'leak');
    writeFileSync(source, value);
    execFileSync('nix-store', ['--add', source], { env });
    await expectFound(place, value, '-leak at byte 0');
    execFileSync('chmod', ['-R', 'u+w', root]);
    rmSync(root, { recursive: true });
  });
});

describe('a search of many places', () => {
  it('is proven for each place by that place alone', async () => {
    const root = newFolder();
    const value = newDecoy();
    writeFileSync(join(root, 'leak'), value);
    const blind: Place = { name: 'blind', search: async () => [], plant: async () => ['somewhere'] };
    const broken: Place = {
      name: 'broken',
      search: async () => {
        throw new Error('no permission');
      },
      plant: async () => [],
    };
    const hangs: Place = { name: 'hangs', search: () => new Promise(() => undefined), plant: async () => [] };
    const findings = await searchAll(
      [blind, broken, diskPlace('disk', [root]), hangs],
      [{ name: 'value', value }],
      {
        timeoutMs: 500,
      },
    );
    expect(findings.map(({ place, proven, problem }) => ({ place, proven, problem }))).toEqual([
      { place: 'blind', proven: false, problem: 'the decoy was not found in somewhere' },
      { place: 'broken', proven: false, problem: 'no permission' },
      { place: 'disk', proven: true, problem: undefined },
      { place: 'hangs', proven: false, problem: 'the search took too long' },
    ]);
    expect(findings[2]?.hits).toEqual([
      { needle: 'value', form: 'plain', where: `${join(root, 'leak')} at byte 0` },
    ]);
    expect(existsSync(join(root, 'leak'))).toBe(true);
  });
});
