/** Rules by path in the repo, from rules by attribute name. */
import { access } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { RotateError } from '../../domain/failure.js';
import type { FileRule } from '../store.js';
import { didYouMean } from '../suggest.js';
import type { RawRules } from './evaluate.js';

/**
 * Attribute names are paths relative to the folder that agenix is run in, which the rules do not say. By convention
 * it is their own folder; some run it at the root (`RULES=secrets/secrets.nix agenix -e secrets/x.age`). So: a file
 * beside the rules if there is one, else one below the root if there is one, else beside the rules.
 * A name that leads out of the repo belongs to no file of it and is left out.
 */
export async function rulesByPath(
  raw: RawRules,
  root: string,
  rules: string,
): Promise<Map<string, FileRule>> {
  const folder = posix.dirname(rules);
  const byPath = new Map<string, FileRule>();
  for (const [name, { publicKeys, armor }] of Object.entries(raw)) {
    const beside = posix.join(folder, name);
    const path = !(await exists(root, beside)) && (await exists(root, name)) ? posix.normalize(name) : beside;
    if (path.startsWith('../') || posix.isAbsolute(name)) continue;
    byPath.set(path, { recipients: publicKeys.flatMap(keyLines), armor });
  }
  return byPath;
}

/**
 * The rule of one file.
 * @throws RotateError `UnknownSecret` when the rules do not name it; `BadRules` when they name nobody to encrypt it to.
 */
export function ruleOf(byPath: ReadonlyMap<string, FileRule>, path: string, rules: string): FileRule {
  const rule = byPath.get(posix.normalize(path));
  if (rule === undefined) {
    throw new RotateError('UnknownSecret', `${rules} has no rule for ${path}`, {
      hint: didYouMean(path, byPath.keys(), `add it to ${rules}, with the public keys of its readers`),
    });
  }
  if (rule.recipients.length === 0) {
    throw new RotateError('BadRules', `${rules} names no public key for ${path}`, {
      hint: 'give it `publicKeys = [ … ];`: a file that nobody can open is lost',
    });
  }
  return rule;
}

/** `map readFile` gives keys that end in a newline, and reads files of several keys; agenix splits them into lines too. */
function keyLines(publicKey: string): string[] {
  return publicKey
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

async function exists(root: string, path: string): Promise<boolean> {
  return access(join(root, path)).then(
    () => true,
    () => false,
  );
}
