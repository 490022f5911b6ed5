/** What every content format offers; the registry is in format.ts. */
import { RotateError } from '../../domain/failure.js';
import { SecretValue } from '../../domain/secret-value.js';
import { matchTemplate, parseTemplate, renderTemplate, type Template } from './template.js';

/** A credential as it stands in a file. */
export interface SecretFields {
  readonly password: SecretValue;
  /** Whose password it is, where the format says so. */
  readonly role?: string;
  /** What stands behind it in a list, newest first. */
  readonly previous?: readonly SecretValue[];
}

/** How a value is written, wherever it stands. */
export interface Writing {
  readonly template?: string | undefined;
  readonly list?: { readonly separator: string } | undefined;
}

/** One way to write a credential into the content of a file. */
export interface ContentFormat {
  /** See `renderSecret`. */
  render(fields: SecretFields, old: SecretValue | undefined): SecretValue;
  /** See `parseSecret`. */
  parse(content: SecretValue): SecretFields;
}

/** The parsed form of a template that the schema has checked. */
export function compileTemplate(source: string): Template {
  const template = parseTemplate(source);
  if ('problem' in template)
    throw new RotateError('BadFormat', `the template is malformed: ${template.problem}`);
  return template;
}

/** The text to write: the password, the list that it leads, or the template filled in. */
export function fieldsToText({ template, list }: Writing, fields: SecretFields): string {
  if (list !== undefined) return joinList(list.separator, fieldsToList(fields));
  const values = {
    password: toText(fields.password, 'the new value'),
    ...(fields.role === undefined ? {} : { role: fields.role }),
  };
  if (template !== undefined) return renderTemplate(compileTemplate(template), values);
  if (values.password === '') throw new RotateError('BadFormat', 'the new value is empty');
  return values.password;
}

/** The inverse of {@link fieldsToText}. */
export function textToFields({ template, list }: Writing, text: string): SecretFields {
  if (list !== undefined) return listToFields(text.split(list.separator));
  const found = template === undefined ? { password: text } : matchTemplate(compileTemplate(template), text);
  if (found === undefined) {
    throw new RotateError('BadFormat', 'what the file holds does not fit the template', {
      hint: `the template is ${template ?? ''}`,
    });
  }
  if (found.password === '') throw new RotateError('BadFormat', 'the value in the file is empty');
  return { ...found, password: SecretValue.fromText(found.password) };
}

/** The values of a list, the newest first. */
export function fieldsToList({ password, previous = [] }: SecretFields): string[] {
  const values = [password, ...previous].map((value) => toText(value, 'a value of the list'));
  if (values.includes('')) throw new RotateError('BadFormat', 'a value of the list is empty');
  return values;
}

/** The inverse of {@link fieldsToList}; empty entries at the end are no values. */
export function listToFields(entries: readonly string[]): SecretFields {
  const end = entries.findLastIndex((entry) => entry !== '') + 1;
  const [password, ...previous] = entries.slice(0, end);
  if (password === undefined) throw new RotateError('BadFormat', 'the list in the file is empty');
  if (password === '' || previous.includes(''))
    throw new RotateError('BadFormat', 'the list in the file has an empty entry');
  return {
    password: SecretValue.fromText(password),
    ...(previous.length === 0 ? {} : { previous: previous.map((value) => SecretValue.fromText(value)) }),
  };
}

function joinList(separator: string, values: readonly string[]): string {
  if (values.some((value) => value.includes(separator)))
    throw new RotateError('BadFormat', 'a value holds the text that separates the values of the list', {
      hint: 'choose another alphabet, or another separator',
    });
  return values.join(separator);
}

/** @throws RotateError `BadFormat` when the bytes are not UTF-8; no cause, it could say which bytes. */
export function toText(value: SecretValue, what: string): string {
  try {
    return value.text();
  } catch {
    throw new RotateError('BadFormat', `${what} is not valid UTF-8 text`);
  }
}
