/**
 * The workflow bundle, made once for all test files: kept under node_modules/.cache by
 * the hash of what it is made of.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { bundleWorkflows } from '../../../worker/bundle.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const sources = ['workflows', 'domain', 'codec', 'worker/bundle.ts', 'package-lock.json'];

/** @returns a file with the bundle of the workflows as they are now */
export async function sharedBundle(): Promise<{ codePath: string }> {
  const folder = join(root, 'node_modules', '.cache', 'rotate-test');
  const codePath = join(folder, `workflows-${await digest()}.js`);
  if (await stat(codePath).then(() => true, absent)) return { codePath };
  const { code } = await bundleWorkflows();
  await mkdir(folder, { recursive: true });
  const draft = `${codePath}.${process.pid}`;
  await writeFile(draft, code);
  await rename(draft, codePath);
  return { codePath };
}

async function digest(): Promise<string> {
  const hash = createHash('sha256');
  for (const source of sources) {
    const path = join(root, source);
    const files = source.includes('.') ? [path] : (await readdir(path)).sort().map((f) => join(path, f));
    for (const file of files) hash.update(`${file}\0`).update(await readFile(file));
  }
  return hash.digest('hex').slice(0, 16);
}

function absent(error: unknown): boolean {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
  throw error;
}
