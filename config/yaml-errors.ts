/** The YAML parser's errors in words that say what to do. Its own talk of tokens and of implicit keys helps nobody. */
import type { ErrorCode } from 'yaml';

/** What is used of the parser's error. */
export interface YamlError {
  code: ErrorCode;
  message: string;
  pos: [number, number];
}

interface Told {
  message: string;
  hint: string;
}

const before = 'look for a missing quote, bracket or comma before this place';

/** By the code alone. */
const texts: Partial<Record<ErrorCode, Told>> = {
  TAB_AS_INDENT: { message: 'a tab is used as indentation', hint: 'indent with spaces' },
  BLOCK_AS_IMPLICIT_KEY: {
    message: 'a mapping begins inside a value',
    hint: 'put a value that contains `: ` in quotes, or begin the mapping on a new line',
  },
  MULTILINE_IMPLICIT_KEY: {
    message: 'this line and the next are read as one key',
    hint: 'look for a missing `:` or quote in this line',
  },
  KEY_OVER_1024_CHARS: { message: 'a key has more than 1024 characters', hint: before },
  BLOCK_IN_FLOW: {
    message: 'indented lines cannot stand inside of `{ }` or `[ ]`',
    hint: 'close the bracket before them, or write them in brackets too',
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
  BAD_COLLECTION_TYPE: { message: 'this tag is not known', hint: 'remove the `!` tag' },
  MULTIPLE_TAGS: { message: 'a value has two tags', hint: 'remove the `!` tags' },
  MULTIPLE_ANCHORS: { message: 'a value has two anchors', hint: 'remove one `&` name' },
  ALIAS_PROPS: { message: 'an alias has an anchor or a tag', hint: 'leave `*` and its name alone' },
  BAD_ALIAS: {
    message: 'an anchor or alias has no name, or one that ends with `:`',
    hint: 'write `&name` and `*name`; put a value that begins with `&` or `*` in quotes',
  },
};

/** By what the parser says, where a code means several things. */
const sayings: readonly [RegExp, Told][] = [
  [/^missing closing .quote/i, { message: 'a quote is never closed', hint: before }],
  [
    /must (?:be sufficiently indented and )?end with a \}/,
    { message: 'what `{` begins is not closed', hint: 'close it with `}`, and indent its lines' },
  ],
  [
    /must (?:be sufficiently indented and )?end with a \]/,
    { message: 'what `[` begins is not closed', hint: 'close it with `]`, and indent its lines' },
  ],
  [
    /^implicit map keys need to be followed/i,
    { message: 'this line has no `:`', hint: 'write `key: value`, or put a text of several lines in quotes' },
  ],
  [
    /^sequence item without/i,
    { message: 'an item of a list begins without `-`', hint: 'write `- ` before it' },
  ],
  [
    /^comments must be separated/i,
    {
      message: 'a comment begins without a space before `#`',
      hint: 'put a space before it, or quotes around it',
    },
  ],
  [/^missing space after :/i, { message: 'a `:` has no space behind it', hint: 'write `key: value`' }],
  [
    /^block scalar header includes/i,
    { message: 'text stands behind `|` or `>`', hint: 'begin the text on the next line, indented' },
  ],
  [
    /^unexpected (?:,|empty item) in/i,
    { message: 'a comma stands where a value should', hint: 'remove the comma, or put the value before it' },
  ],
];

/** @param text the file, to see which character a value begins with */
export function yamlErrorText(error: YamlError, text: string): Told {
  const known = texts[error.code] ?? sayings.find(([saying]) => saying.test(error.message))?.[1];
  if (known !== undefined) return known;
  const first = text[error.pos[0]] ?? '';
  if (error.code === 'BAD_SCALAR_START' || (error.code === 'UNEXPECTED_TOKEN' && /[@`%]/.test(first))) {
    return { message: `a value cannot begin with \`${first}\``, hint: 'put it in quotes, e.g. "@web"' };
  }
  if (error.code === 'BAD_INDENT')
    return { message: 'the indentation does not fit', hint: 'line it up with its neighbours' };
  if (error.code === 'MISSING_CHAR') return { message: 'something is missing here', hint: before };
  return { message: 'what stands here does not fit', hint: before };
}

/** Where a merge that was left unresolved begins in `text`; undefined where there is none. */
export function conflictMarker(text: string): number | undefined {
  const found = /^<{7}(?= |\r?$)/m.exec(text);
  return found?.index;
}
