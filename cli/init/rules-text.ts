/**
 * What can be seen in agenix's rules without evaluating them, which takes Nix: the files that they name, and keys that
 * have a name. Only good for suggestions; whatever is written in another way is not seen.
 */
import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';

import { hostKeySchema } from '../../config/host-key.js';

export interface NamedKey {
  /** `TYPE KEY`, without a comment. */
  key: string;
  /** Where it was found, for a person. */
  from: string;
}

export interface RulesText {
  /** Ciphertexts, as paths from the root of the repo. */
  files: readonly string[];
  /** SSH keys by the name that they have in the rules. */
  keys: ReadonlyMap<string, NamedKey>;
}

/** `name = "ssh-ed25519 AAAA… comment"`, also at the end of an attribute path. */
const keyPattern =
  /([\w"'.-]+)\s*=\s*"((?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)) [A-Za-z0-9+/]+={0,2})(?:[ \t][^"]*)?"/g;
/** `name = builtins.readFile ./host.pub` */
const keyFilePattern = /([\w"'.-]+)\s*=\s*(?:builtins\.)?readFile\s+(\.{1,2}\/[\w./+-]+)/g;
const filePattern = /"([^"\n$]+\.age)"\s*(?:\.\s*publicKeys\s*)?=/g;
const importPattern = /\bimport\s+(\.{1,2}\/[\w./+-]+)/g;

/** @param path of the rules, from `root`; none of it when it cannot be read */
export async function readRules(root: string, path: string): Promise<RulesText> {
  const text = await textAt(root, path);
  const keys = await keysIn(root, path, text);
  // Keys often live in a file of their own.
  for (const [, relative = ''] of text.matchAll(importPattern)) {
    const imported = inside(path, relative);
    for (const [name, key] of await keysIn(root, imported, await textAt(root, imported)))
      if (!keys.has(name)) keys.set(name, key);
  }
  const folder = posix.dirname(path);
  const files = [...text.matchAll(filePattern)].map(([, name = '']) => {
    const beside = posix.join(folder, name);
    return !existsSync(join(root, beside)) && existsSync(join(root, name)) ? posix.normalize(name) : beside;
  });
  return { files: [...new Set(files)].filter((file) => !file.startsWith('../')), keys };
}

/** The key of what is called `name`, whatever its case, `-` and `_`; undefined when several differ. */
export function keyNamed({ keys }: RulesText, name: string): NamedKey | undefined {
  const plain = (text: string): string => text.toLowerCase().replaceAll(/[-_]/g, '');
  const fitting = [...keys].filter(([each]) => plain(each) === plain(name)).map(([, key]) => key);
  return new Set(fitting.map(({ key }) => key)).size === 1 ? fitting[0] : undefined;
}

async function keysIn(root: string, path: string, text: string): Promise<Map<string, NamedKey>> {
  const keys = new Map<string, NamedKey>();
  for (const [, name = '', key = ''] of text.matchAll(keyPattern))
    keys.set(lastOf(name), { key, from: path });
  for (const [, name = '', relative = ''] of text.matchAll(keyFilePattern)) {
    const file = inside(path, relative);
    const [type = '', key = ''] = (await textAt(root, file)).trim().split(/\s+/);
    keys.set(lastOf(name), { key: `${type} ${key}`, from: file });
  }
  return new Map([...keys].filter(([, { key }]) => hostKeySchema.safeParse(key).success));
}

function lastOf(attributePath: string): string {
  return (/("[^"]+"|[\w'-]+)$/.exec(attributePath)?.[1] ?? '').replaceAll('"', '');
}

/** `./keys.nix` beside `path`; a folder means its default.nix. */
function inside(path: string, relative: string): string {
  const found = posix.join(posix.dirname(path), relative);
  return /\.\w+$/.test(found) ? found : posix.join(found, 'default.nix');
}

/** Without comments; empty when there is no such file in the repo. */
async function textAt(root: string, path: string): Promise<string> {
  if (path.startsWith('../') || statSync(join(root, path), { throwIfNoEntry: false })?.isFile() !== true)
    return '';
  const text = await readFile(join(root, path), 'utf8');
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*#.*$/gm, '');
}
