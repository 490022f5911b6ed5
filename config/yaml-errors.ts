/** The YAML parser's errors in words that say what to do. Its own messages are kept where they are good. */
import type { ErrorCode } from 'yaml';

/** What is used of the parser's error. */
export interface YamlError {
  code: ErrorCode;
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
  BAD_DQ_ESCAPE: {
    message: 'an unknown escape stands in double quotes',
    hint: 'write the backslash twice, or use single quotes',
  },
  RESOURCE_EXHAUSTION: { message: 'the file is nested too deeply', hint: 'nest less' },
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
  // what follows a colon is text of the file, which may be a secret in the wrong place
  const plain = error.message.replace(/: (?!in |between ).*$/s, '');
  const message = `${plain.slice(0, 1).toLowerCase()}${plain.slice(1)}`;
  if (error.code === 'MISSING_CHAR')
    return { message, hint: 'look for a missing quote, bracket or comma before this place' };
  return { message };
}
