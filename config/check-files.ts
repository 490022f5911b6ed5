/** Which secrets may share a file: those of one environment whose formats take different parts of it. */
import { type SecretSpec, formatSecretRef } from '../domain/spec.js';
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
  if (a.format.type !== 'env' || b.format.type !== 'env') {
    return 'give it a file of its own, or use the format `env` with a variable for each';
  }
  if (a.format.variable === b.format.variable)
    return `give each a variable of its own; both are \`${a.format.variable}\``;
  return undefined;
}
