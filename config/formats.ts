/** The `format` of a secret's file, in the terms of the domain. */
import type { Format } from '../stores/schema.js';
import type { FormatSpec } from '../domain/spec.js';

export function toFormatSpec(format: Format): FormatSpec {
  if (format === 'raw') return { type: 'raw' };
  const { template, list } = format;
  const writing = {
    ...(template === undefined ? {} : { template }),
    ...(list === undefined ? {} : { list: { separator: list === true ? '' : list } }),
  };
  if ('env' in format) return { type: 'env', variable: format.env, ...writing };
  if ('json' in format) return { type: 'json', path: toPath(format.json), ...writing };
  if ('yaml' in format) return { type: 'yaml', path: toPath(format.yaml), ...writing };
  return { type: 'raw', ...writing };
}

function toPath(path: string | (string | number)[]): (string | number)[] {
  return typeof path === 'string' ? path.split('.') : path;
}

/** Whether a file of this format says which account its value belongs to. `{{` is a brace, not a placeholder. */
export function carriesRole(format: FormatSpec): boolean {
  return format.template?.replaceAll(/\{\{|\}\}/g, '').includes('{role}') ?? false;
}
