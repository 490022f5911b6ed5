/**
 * Templates: how a credential is written into a line, such as `postgresql://{role}:{password}@db-1:5432/app`.
 *
 * Placeholders are `{password}` (or `{value}`, the same thing) and `{role}`; `{{` and `}}` stand for braces. In a URL
 * (a template with `://`) what is filled in is percent-encoded, elsewhere it is inserted as it is.
 */
import { RotateError } from '../../domain/failure.js';

/** What a template carries, as text. */
export interface TemplateFields {
  readonly password: string;
  readonly role?: string;
}

export type FieldName = 'password' | 'role';

export interface Template {
  /** Literal text around the fields: always one more than there are fields. */
  readonly literals: readonly string[];
  readonly fields: readonly FieldName[];
  readonly url: boolean;
}

/** @returns the template, or why it is none (`problem`: one sentence, lowercase). */
export function parseTemplate(source: string): Template | { readonly problem: string } {
  const literals = [''];
  const fields: FieldName[] = [];
  for (const [token] of source.matchAll(/\{\{|\}\}|\{[^{}]*\}|[{}]|[^{}]+/g)) {
    if (token === '{' || token === '}')
      return { problem: `a single "${token}"; write "${token}${token}" for the character` };
    if (!/^\{[^{]/.test(token)) {
      literals.push((literals.pop() ?? '') + (token === '{{' || token === '}}' ? token.charAt(0) : token));
      continue;
    }
    const field = fieldOf(token);
    if (field === undefined)
      return { problem: `unknown placeholder ${token}; there are {role} and {password}` };
    if (fields.includes(field)) return { problem: `the placeholder {${field}} stands twice` };
    if (fields.length > 0 && literals.at(-1) === '')
      return { problem: 'two placeholders need some text between them' };
    fields.push(field);
    literals.push('');
  }
  if (!fields.includes('password')) return { problem: 'the placeholder {password} is missing' };
  return { literals, fields, url: source.includes('://') };
}

/**
 * The text with the fields filled in.
 * @throws RotateError `BadFormat` when a field is missing, or could not be read back from the result.
 */
export function renderTemplate(template: Template, values: TemplateFields): string {
  const wanted = Object.fromEntries(template.fields.map((field) => [field, fieldValue(values, field)]));
  const text = template.literals
    .map((literal, i) => literal + encode(template, wanted[template.fields[i] ?? ''] ?? ''))
    .join('');
  const back = matchTemplate(template, text);
  if (back === undefined || template.fields.some((field) => back[field] !== wanted[field])) {
    throw new RotateError(
      'BadFormat',
      'the value holds text that the template uses to tell its parts apart',
      {
        hint: 'use a URL template (values are percent-encoded there), or values of letters and digits',
      },
    );
  }
  return text;
}

/**
 * The fields of a text that a template has produced.
 * @returns undefined when the text does not fit the template.
 */
export function matchTemplate(template: Template, text: string): TemplateFields | undefined {
  const [first = '', ...literals] = template.literals;
  if (!text.startsWith(first)) return undefined;
  const found: Partial<Record<FieldName, string>> = {};
  let offset = first.length;
  for (const [i, field] of template.fields.entries()) {
    const after = literals[i] ?? '';
    const last = i === template.fields.length - 1;
    const end = last ? text.length - after.length : text.indexOf(after, offset);
    if (end < offset || !text.startsWith(after, end)) return undefined;
    const value = decode(template, text.slice(offset, end));
    if (value === undefined || value === '') return undefined;
    found[field] = value;
    offset = end + after.length;
  }
  const { password, role } = found;
  return password === undefined ? undefined : { password, ...(role === undefined ? {} : { role }) };
}

function fieldOf(token: string): FieldName | undefined {
  if (token === '{password}' || token === '{value}') return 'password';
  return token === '{role}' ? 'role' : undefined;
}

function fieldValue(values: TemplateFields, field: FieldName): string {
  const value = values[field];
  if (value === undefined || value === '') {
    throw new RotateError('BadFormat', `the template needs a ${field}, and there is none`);
  }
  if (/\p{Surrogate}/u.test(value)) throw new RotateError('BadFormat', `the ${field} is not valid text`);
  return value;
}

function encode({ url }: Template, value: string): string {
  if (!url) return value;
  // RFC 3986: all but the unreserved characters; encodeURIComponent leaves five sub-delimiters
  return encodeURIComponent(value).replaceAll(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Lenient where people write URLs by hand (`!` unencoded, lower-case hex), but never wrong about where a part ends. */
function decode({ url }: Template, text: string): string | undefined {
  if (!url) return text;
  if (/[/?#@:\s]/.test(text)) return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
