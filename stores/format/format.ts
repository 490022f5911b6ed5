/**
 * Content formats: how a credential is written into the content of a secret file, and read back from it.
 *
 * Law: `parseSecret(f, renderSecret(f, x, old))` is `x` for every `x` that `renderSecret` accepts.
 */
import { RotateError } from '../../domain/failure.js';
import type { SecretValue } from '../../domain/secret-value.js';
import type { FormatSpec } from '../../domain/spec.js';
import { compileTemplate, type ContentFormat, type SecretFields } from './content.js';
import { envFormat } from './env.js';
import { rawFormat } from './raw.js';
import { structuredFormat } from './structured.js';

export type { SecretFields } from './content.js';

/**
 * The new content of a secret file.
 *
 * @param old the present content. `raw` takes over its trailing newline; the others need it, as all else in it stays.
 * @throws RotateError `BadFormat` when the format cannot carry the credential.
 */
export function renderSecret(format: FormatSpec, fields: SecretFields, old?: SecretValue): SecretValue {
  return contentFormat(format).render(fields, old);
}

/**
 * The credential in the content of a secret file.
 * @throws RotateError `BadFormat` when the content does not fit the format. No message contains any of it.
 */
export function parseSecret(format: FormatSpec, content: SecretValue): SecretFields {
  return contentFormat(format).parse(content);
}

/**
 * Whether the file tells consumers which role to log in as. If not, it cannot serve kinds that alternate between two
 * roles.
 */
export function carriesRole({ template }: FormatSpec): boolean {
  return template !== undefined && compileTemplate(template).fields.includes('role');
}

/** All formats; another one is a line here, a file beside this one and a schema in stores/schema.ts. */
const formats = {
  raw: (format) => rawFormat(format),
  env: (format) => {
    if (format.variable === undefined)
      throw new RotateError('BadFormat', 'the format env does not say which variable');
    return envFormat(format.variable, format);
  },
  json: (format) => structuredFormat('json', format.path ?? [], format),
  yaml: (format) => structuredFormat('yaml', format.path ?? [], format),
} as const satisfies Record<FormatSpec['type'], (format: FormatSpec) => ContentFormat>;

function contentFormat(format: FormatSpec): ContentFormat {
  return formats[format.type](format);
}
