/** Format `env`: one variable of an environment file is the credential; all else in the file belongs to others. */
import { RotateError } from '../../domain/failure.js';
import { SecretValue } from '../../domain/secret-value.js';
import { didYouMean } from '../suggest.js';
import { type ContentFormat, type Writing, fieldsToText, textToFields, toText } from './content.js';
import { type Assignment, parseEnvFile, replaceValue } from './env-file.js';

/** See env-file.ts for the syntax. The other lines are kept byte for byte, so the present content is needed. */
export function envFormat(name: string, writing: Writing): ContentFormat {
  return {
    render(fields, old) {
      if (old === undefined) {
        throw new RotateError(
          'BadFormat',
          `${name} can only be put into an environment file that is there already`,
        );
      }
      const text = toText(old, 'the environment file');
      const value = fieldsToText(writing, fields);
      const result = replaceValue(text, theOne(text, name), value);
      checkOnlyThis(text, result, name, value);
      return SecretValue.fromText(result);
    },
    parse(content) {
      return textToFields(writing, theOne(toText(content, 'the environment file'), name).value);
    },
  };
}

function theOne(text: string, name: string): Assignment {
  const all = parseEnvFile(text);
  const [found, ...more] = all.filter((assignment) => assignment.name === name);
  if (more.length > 0) {
    throw new RotateError('BadFormat', `${name} is set ${more.length + 1} times in the environment file`, {
      hint: 'systemd uses the last one; delete the others',
    });
  }
  if (found !== undefined) return found;
  const exported = all.some((assignment) => assignment.name === `export ${name}`);
  throw new RotateError('BadFormat', `there is no variable ${name} in the environment file`, {
    hint: exported
      ? 'there is a line with "export", which systemd does not understand: delete that word'
      : didYouMean(name, new Set(all.map((assignment) => assignment.name)), `add the line ${name}=…`),
  });
}

/** What would be deployed is read once more: nothing but our variable may have changed. */
function checkOnlyThis(before: string, after: string, name: string, value: string): void {
  const expected = parseEnvFile(before).map((a) =>
    a.name === name ? { name, value } : { name: a.name, value: a.value },
  );
  const actual = parseEnvFile(after).map((a) => ({ name: a.name, value: a.value }));
  if (JSON.stringify(actual) !== JSON.stringify(expected)) {
    throw new RotateError('BadFormat', `the value cannot be written into ${name}`);
  }
}
