/**
 * The last part of `npm run build`: writes dist/bin, what people run, in few files of CommonJS. Starting a command is
 * finding and reading files, most of all; as it is compiled, `rotate list` has three hundred of them.
 */
import { createHash } from 'node:crypto';
import { chmod, readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { rolldown } from 'rolldown';

import { projectRoot } from './fleet/lab.js';

const dist = join(projectRoot, 'dist');
const folder = join(dist, 'bin');

/** Of all that the program is made of; see cli/config-cache.ts. */
async function buildId(): Promise<string> {
  const hash = createHash('sha256').update(await readFile(join(projectRoot, 'package-lock.json')));
  const files = await readdir(dist, { recursive: true });
  for (const file of files.filter((name) => name.endsWith('.js')).toSorted())
    hash.update(await readFile(join(dist, file)));
  return hash.digest('hex');
}

await rm(folder, { recursive: true, force: true });
const program = await rolldown({
  // Temporal's SDK loads the converter by its path; it must throw and know the same classes as the rest.
  input: {
    rotate: join(dist, 'cli', 'main.js'),
    'failure-converter': join(dist, 'codec', 'failure-converter.js'),
  },
  platform: 'node',
  // A module that one command loads late is loaded at once by another; that is meant.
  checks: { ineffectiveDynamicImport: false },
  transform: { define: { ROTATE_BUILD: JSON.stringify(await buildId()) } },
  // They load files, native ones among them, from where they lie.
  external: [/^@temporalio\//, 'node-ssh', 'pg', 'protobufjs', 'ssh2'],
});
await program.write({
  dir: folder,
  // Node's cache of compiled code helps CommonJS more.
  format: 'cjs',
  entryFileNames: '[name].cjs',
  chunkFileNames: '[name].cjs',
});
await program.close();
await chmod(join(folder, 'rotate.cjs'), 0o755);
