/** A repo on disk for the tests of the agenix store. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { privateFolder } from '../support.js';

/** Writes `files` (path to content) below a new folder and returns it. */
export async function repoWith(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const root = join(await privateFolder(), 'a repo=1'); // blanks and `=` are legal in paths
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  return root;
}

/** A Nix string literal. */
export function nixString(text: string): string {
  return `"${text.replaceAll(/["\\$]/g, '\\$&')}"`;
}
