/** Writing 200 agenix files for 10 recipients: the store of this project against what `agenix -e` and `agenix --rekey` do. */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../../infra/fleet/lab.js';
import { run } from '../../infra/fleet/run.js';
import { timed, type Benchmark } from './benchmark.js';

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
    const texts = new Map(
      Array.from({ length: count }, (_, i) => [
        `app-${String(i).padStart(3, '0')}.age`,
        `DATABASE_URL=postgresql://app:${randomBytes(24).toString('hex')}@db-1:5432/app`,
      ]),
    );
    const input = [...texts].map((line) => `${line.join('\t')}\n`).join('');
    const program = join(projectRoot, 'dist', 'test', 'bench', 'write-files.js');
    const script = join(projectRoot, 'test', 'bench', 'agenix.sh');
    const ours = (root: string, given: string): Promise<unknown> =>
      run(process.execPath, [program, root, identity], { input: given });
    const theirs = (root: string, given: string): Promise<unknown> =>
      run('bash', [script, identity], { cwd: root, input: given });

    const write = { ours: [] as number[], theirs: [] as number[] };
    const rekey = { ours: [] as number[], theirs: [] as number[] };
    for (let round = 0; round < rounds; round += 1) {
      log(`round ${round + 1} of ${rounds}: writing ${count} files, and opening and writing them anew`);
      const mine = await makeRepo(join(folder, `ours-${round}`), publicKeys, texts);
      const other = await makeRepo(join(folder, `theirs-${round}`), publicKeys, texts);
      write.ours.push(await timed(() => ours(mine, input)));
      write.theirs.push(await timed(() => theirs(other, input)));
      rekey.ours.push(await timed(() => ours(mine, '')));
      rekey.theirs.push(await timed(() => theirs(other, '')));
      if (round > 0) continue;
      log('opening every file with age, by each kind of key');
      for (const root of [mine, other]) {
        for (const key of identities) await check(root, key, texts);
      }
    }
    return {
      comparisons: [
        { what: `writing ${count} files`, ...write, goal: 1 / 20 },
        { what: `opening and writing ${count} files`, ...rekey },
      ],
    };
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

/** The rules, without any file. */
async function makeRepo(
  root: string,
  publicKeys: readonly string[],
  texts: ReadonlyMap<string, string>,
): Promise<string> {
  await mkdir(root);
  const keys = publicKeys.map((key) => `    ${JSON.stringify(key)}\n`).join('');
  const rules = [...texts.keys()].map((name) => `  "${name}".publicKeys = readers;\n`).join('');
  await writeFile(join(root, 'secrets.nix'), `let\n  readers = [\n${keys}  ];\nin {\n${rules}}\n`);
  return root;
}

async function check(root: string, identity: string, texts: ReadonlyMap<string, string>): Promise<void> {
  for (const [name, text] of texts) {
    const { stdout } = await run('age', ['--decrypt', '--identity', identity, join(root, name)]);
    if (stdout !== `${text}\n`) throw new Error(`${join(root, name)} does not hold what was written`);
  }
}
