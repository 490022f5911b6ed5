/** What every content format offers; the registry is in format.ts. */
import { RotateError } from '../../domain/failure.js';
import { SecretValue } from '../../domain/secret-value.js';
import { matchTemplate, parseTemplate, renderTemplate, type Template } from './template.js';

/** A credential as it stands in a file. */
export interface SecretFields {
  readonly password: SecretValue;
  /** Whose password it is, where the format says so. */
  readonly role?: string;
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

/** The text to write: the password, or the template filled in. */
export function fieldsToText(source: string | undefined, { password, role }: SecretFields): string {
  const fields = { password: toText(password, 'the new value'), ...(role === undefined ? {} : { role }) };
  if (source !== undefined) return renderTemplate(compileTemplate(source), fields);
  if (fields.password === '') throw new RotateError('BadFormat', 'the new value is empty');
  return fields.password;
}

/** The inverse of {@link fieldsToText}. */
export function textToFields(source: string | undefined, text: string): SecretFields {
  const found = source === undefined ? { password: text } : matchTemplate(compileTemplate(source), text);
  if (found === undefined) {
    throw new RotateError('BadFormat', 'what the file holds does not fit the template', {
      hint: `the template is ${source ?? ''}`,
    });
  }
  if (found.password === '') throw new RotateError('BadFormat', 'the value in the file is empty');
  return { ...found, password: SecretValue.fromText(found.password) };
}

/** @throws RotateError `BadFormat` when the bytes are not UTF-8; no cause, it could say which bytes. */
export function toText(value: SecretValue, what: string): string {
  try {
    return value.text();
  } catch {
    throw new RotateError('BadFormat', `${what} is not valid UTF-8 text`);
  }
}
