/** Whether ciphertext made at one commit is still for the right recipients at another. */
import type { Clone } from './clone.js';
import { entriesAt } from './objects.js';

export interface RulesCheck {
  /** Files and folders that say who may read the secrets and how they are rotated. */
  rules: readonly string[];
  /**
   * Asked when the main branch has moved on: are the recipients and the file's settings at `tip` those that
   * the ciphertext was made for? It sees imports of the rules, too. Without it any change of {@link rules}
   * counts.
   */
  sameRules?: (tip: string) => Promise<boolean>;
}

export async function rulesChanged(
  clone: Clone,
  check: RulesCheck,
  base: string,
  tip: string,
): Promise<boolean> {
  if (base === tip) return false;
  if (check.sameRules !== undefined) return !(await check.sameRules(tip));
  const before = await entriesAt(clone.git, base, check.rules);
  const after = await entriesAt(clone.git, tip, check.rules);
  return check.rules.some((path) => before.get(path)?.id !== after.get(path)?.id);
}
