/** Writing 200 agenix files for 10 recipients: the store of this project against what `agenix --rekey` does. */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../../infra/fleet/lab.js';
import { run } from '../../infra/fleet/run.js';
import { inTurns, type Benchmark } from './benchmark.js';

const count = 200;
const ofEachKind = 5;
const rounds = 3;

export const files: Benchmark = {
  name: 'files',
  title: `${count} agenix files for ${2 * ofEachKind} recipients, against agenix’s own way`,
  async run({ log, atEnd }) {
    const folder = await mkdtemp(join(tmpdir(), 'rotate-bench-files-'));
    atEnd(() => rm(folder, { recursive: true, force: true }));
    const { identities, publicKeys } = await makeKeys(folder);
    const [identity = ''] = identities;
    const contents = new Map(
      Array.from({ length: count }, (_, i) => [
        `app-${String(i).padStart(3, '0')}.age`,
        `DATABASE_URL=postgresql://app:${randomBytes(24).toString('hex')}@db-1:5432/app\nLOG_LEVEL=info\n`,
      ]),
    );
    const mine = await makeRepo(join(folder, 'ours'), publicKeys, contents);
    const theirs = await makeRepo(join(folder, 'theirs'), publicKeys, contents);
    const program = join(projectRoot, 'dist', 'test', 'bench', 'write-files.js');
    const script = join(projectRoot, 'test', 'bench', 'rekey.sh');
    log(`${rounds} rounds of both, each opening and writing every file`);
    const times = await inTurns(rounds, {
      ours: () => run(process.execPath, [program, mine, identity]),
      theirs: () => run('bash', [script, identity], { cwd: theirs }),
    });
    log('opening every file with age, by each kind of key');
    for (const root of [mine, theirs]) {
      for (const key of identities) await check(root, key, contents);
    }
    return { comparisons: [{ what: `${count} files`, ...times, goal: 1 / 20 }] };
  },
};

/** A key pair of each kind to open files with, and all public keys. */
async function makeKeys(folder: string): Promise<{ identities: string[]; publicKeys: string[] }> {
  const identities: string[] = [];
  const publicKeys: string[] = [];
  for (let i = 0; i < ofEachKind; i += 1) {
    const ssh = join(folder, `ssh-${i}`);
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', `host-${i}`, '-f', ssh]);
    const age = join(folder, `age-${i}`);
    await run('age-keygen', ['-o', age]);
    publicKeys.push((await readFile(`${ssh}.pub`, 'utf8')).trim());
    publicKeys.push((await run('age-keygen', ['-y', age])).stdout.trim());
    if (i === 0) identities.push(age, ssh);
  }
  return { identities, publicKeys };
}

/** The files, encrypted once, with their rules. */
async function makeRepo(
  root: string,
  publicKeys: readonly string[],
  contents: ReadonlyMap<string, string>,
): Promise<string> {
  await mkdir(root);
  const keys = publicKeys.map((key) => `    ${JSON.stringify(key)}\n`).join('');
  const rules = [...contents.keys()].map((name) => `  "${name}".publicKeys = readers;\n`).join('');
  await writeFile(join(root, 'secrets.nix'), `let\n  readers = [\n${keys}  ];\nin {\n${rules}}\n`);
  const recipients = publicKeys.flatMap((key) => ['--recipient', key]);
  for (const [name, content] of contents)
    await run('age', ['--encrypt', ...recipients, '-o', join(root, name)], { input: content });
  return root;
}

async function check(root: string, identity: string, contents: ReadonlyMap<string, string>): Promise<void> {
  for (const [name, content] of contents) {
    const { stdout } = await run('age', ['--decrypt', '--identity', identity, join(root, name)]);
    if (stdout !== content) throw new Error(`${join(root, name)} does not hold what it held before`);
  }
}
