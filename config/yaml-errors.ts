/** The YAML parser's errors in words that say what to do. Its own messages are kept where they are good. */
import type { ErrorCode } from 'yaml';

interface YamlError {
  code: ErrorCode | 'BAD_DIRECTIVE';
  message: string;
  pos: [number, number];
}

const texts: Partial<Record<YamlError['code'], { message: string; hint: string }>> = {
  TAB_AS_INDENT: { message: 'a tab is used as indentation', hint: 'indent with spaces' },
  BAD_INDENT: { message: 'the indentation does not fit', hint: 'line it up with its neighbours' },
  BLOCK_AS_IMPLICIT_KEY: {
    message: 'a mapping begins inside a value',
    hint: 'put a value that contains `: ` in quotes, or begin the mapping on a new line',
  },
  BAD_DIRECTIVE: { message: 'this %YAML directive is not read', hint: 'remove the directive' },
  MULTIPLE_DOCS: {
    message: 'a second document begins here',
    hint: 'one file holds one document: remove the `---`',
  },
  TAG_RESOLVE_FAILED: { message: 'this tag is not known', hint: 'remove the `!` tag' },
};

/** @param text the file, to see which character a value begins with */
export function yamlErrorText(error: YamlError, text: string): { message: string; hint?: string } {
  const known = texts[error.code];
  if (known !== undefined) return known;
  const first = text[error.pos[0]] ?? '';
  if (error.code === 'BAD_SCALAR_START' || (error.code === 'UNEXPECTED_TOKEN' && /[@`%]/.test(first))) {
    return { message: `a value cannot begin with \`${first}\``, hint: 'put it in quotes, e.g. "@web"' };
  }
  const message = `${error.message.slice(0, 1).toLowerCase()}${error.message.slice(1)}`;
  if (error.code === 'MISSING_CHAR')
    return { message, hint: 'look for a missing quote, bracket or comma before this place' };
  return { message };
}
