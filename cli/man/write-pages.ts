/**
 * Writes the man pages into man/, and their list into package.json, by which npm installs them:
 * `node dist/cli/man/write-pages.js`.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { commands } from '../registry.js';
import { version } from '../version.js';
import { manPages } from './pages.js';

/** @param folder of the pages; made if it is not there. Pages of commands that are gone are deleted. */
export async function writePages(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const pages = manPages(commands, version());
  for (const name of await readdir(folder))
    if (/^rotate.*\.1$/.test(name) && !pages.has(name)) await rm(join(folder, name));
  for (const [name, text] of pages) await writeFile(join(folder, name), text);
}

/** npm takes no folder here. */
export function manifestList(): string[] {
  return [...manPages(commands, version()).keys()].toSorted().map((name) => `./man/${name}`);
}

async function writeManifest(file: string): Promise<void> {
  const manifest: unknown = JSON.parse(await readFile(file, 'utf8'));
  const more = { man: manifestList() };
  await writeFile(file, `${JSON.stringify(Object.assign({}, manifest, more), undefined, 2)}\n`);
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === import.meta.filename) {
  await writePages('man');
  await writeManifest('package.json');
}
