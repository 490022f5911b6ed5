/** Format `raw`: the whole file is the credential. */
import { RotateError } from '../../domain/failure.js';
import { SecretValue } from '../../domain/secret-value.js';
import { type ContentFormat, type Writing, fieldsToText, textToFields, toText } from './content.js';

const newline = 0x0a;

/**
 * Editors and `echo` leave a newline at the end of many secret files, and their consumers are used to it: a file that
 * has one keeps one, and it is no part of the credential. Without a template the bytes need not be text.
 */
export function rawFormat(writing: Writing): ContentFormat {
  const bytesOnly = writing.template === undefined && writing.list === undefined;
  return {
    render(fields, old) {
      const content = bytesOnly
        ? fields.password.bytes()
        : new TextEncoder().encode(fieldsToText(writing, fields));
      if (content.length === 0) throw new RotateError('BadFormat', 'the new value is empty');
      if (content.at(-1) === newline) {
        throw new RotateError(
          'BadFormat',
          'the new value ends in a newline, which would be taken for the end of the file',
          {
            hint: 'trim it',
          },
        );
      }
      const ends = old?.bytes().at(-1) === newline;
      return new SecretValue(ends ? Uint8Array.from([...content, newline]) : content);
    },
    parse(content) {
      const bytes = content.bytes();
      const value = new SecretValue(bytes.at(-1) === newline ? bytes.subarray(0, -1) : bytes);
      if (value.length === 0) throw new RotateError('BadFormat', 'the secret file is empty');
      return bytesOnly ? { password: value } : textToFields(writing, toText(value, 'the secret file'));
    },
  };
}
