/**
 * The last part of `npm run build`: writes dist/bin, what people run. Starting a command is finding and reading files,
 * most of all; as it is compiled, `rotate list` has three hundred of them.
 */
import { createHash } from 'node:crypto';
import { chmod, readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { bundle } from './bundle.js';
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
await bundle({
  // Temporal's SDK loads the converter by its path; it must throw and know the same classes as the rest.
  input: {
    rotate: join(dist, 'cli', 'main.js'),
    'failure-converter': join(dist, 'codec', 'failure-converter.js'),
  },
  folder,
  define: { ROTATE_BUILD: JSON.stringify(await buildId()) },
});
await chmod(join(folder, 'rotate.cjs'), 0o755);
