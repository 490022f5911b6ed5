/**
 * Content formats: how a credential is written into the content of a secret file, and read back from it.
 *
 * Law: `parseSecret(f, renderSecret(f, x, old))` is `x` for every `x` that `renderSecret` accepts.
 */
import type { SecretValue } from '../../domain/secret-value.js';
import type { Format } from '../schema.js';
import { compileTemplate, type ContentFormat, type SecretFields } from './content.js';
import { envFormat } from './env.js';
import { rawFormat } from './raw.js';

export type { SecretFields } from './content.js';

/**
 * The new content of a secret file.
 *
 * @param old the present content. `env` needs it (the other lines stay), `raw` takes over its trailing newline.
 * @throws RotateError `BadFormat` when the format cannot carry the credential.
 */
export function renderSecret(format: Format, fields: SecretFields, old?: SecretValue): SecretValue {
  return contentFormat(format).render(fields, old);
}

/**
 * The credential in the content of a secret file.
 * @throws RotateError `BadFormat` when the content does not fit the format. No message contains any of it.
 */
export function parseSecret(format: Format, content: SecretValue): SecretFields {
  return contentFormat(format).parse(content);
}

/**
 * Whether the file tells consumers which role to log in as. If not, it cannot serve kinds that alternate between two
 * roles.
 */
export function carriesRole(format: Format): boolean {
  if (format === 'raw' || format.template === undefined) return false;
  return compileTemplate(format.template).fields.includes('role');
}

function contentFormat(format: Format): ContentFormat {
  if (format === 'raw') return rawFormat({ raw: true });
  return 'env' in format ? envFormat(format) : rawFormat(format);
}
