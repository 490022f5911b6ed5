/** The `format` of a secret's file, in the terms of the domain. */
import type { Format } from '../stores/schema.js';
import type { FormatSpec } from '../domain/spec.js';

export function toFormatSpec(format: Format): FormatSpec {
  if (format === 'raw') return { type: 'raw' };
  const { template } = format;
  return {
    ...('env' in format ? { type: 'env' as const, variable: format.env } : { type: 'raw' as const }),
    ...(template === undefined ? {} : { template }),
  };
}

/** Whether a file of this format says which account its value belongs to. `{{` is a brace, not a placeholder. */
export function carriesRole(format: FormatSpec): boolean {
  return format.template?.replaceAll(/\{\{|\}\}/g, '').includes('{role}') ?? false;
}
