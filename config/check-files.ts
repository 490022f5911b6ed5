/** Which secrets may share a file: those of one environment whose formats take different parts of it. */
import { type FormatSpec, type SecretSpec, formatSecretRef } from '../domain/spec.js';
import type { Reader } from './fields.js';

export function checkFiles(reader: Reader, secrets: readonly SecretSpec[]): void {
  for (const [i, secret] of secrets.entries()) {
    for (const other of secrets.slice(0, i)) {
      if (other.file !== secret.file) continue;
      const problem = conflict(secret, other);
      if (problem === undefined) continue;
      const path = ['secrets', secret.environment, secret.name, 'file'];
      reader.problem(path, `\`${secret.file}\` is the file of \`${formatSecretRef(other)}\` too`, {
        hint: problem,
      });
      break;
    }
  }
}

/** What to do about two secrets in one file; undefined where they get along. */
function conflict(a: SecretSpec, b: SecretSpec): string | undefined {
  if (a.environment !== b.environment) return 'give each environment a file of its own';
  if (a.format.type !== b.format.type || a.format.type === 'raw') {
    return 'give it a file of its own, or use the format `env`, `json` or `yaml` for both, with a place for each';
  }
  const [one, two] = [placeOf(a.format), placeOf(b.format)];
  if (one.every((part, i) => part === two[i]) || two.every((part, i) => part === one[i]))
    return `give each a place of its own; both are \`${one.join('.')}\``;
  return undefined;
}

/** What a secret takes of its file; one inside another's is the other's too. */
function placeOf({ variable, path }: FormatSpec): readonly string[] {
  return variable === undefined ? (path ?? []).map(String) : [variable];
}
