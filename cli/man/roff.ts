/**
 * Text as roff, for the macros of man(7). Texts are those of the help, where `backticks` mean something to type.
 *
 * @see groff_char(7), "Man page usage" in groff_man_style(7)
 */

const named: Readonly<Record<string, string>> = {
  '\\': '\\(rs',
  '-': '\\-',
  "'": '\\(aq',
  '`': '\\(ga',
  '^': '\\(ha',
  '~': '\\(ti',
  '"': '\\(dq',
};

/** `text` so that it is printed as it is, wherever it stands in a line. */
export function escape(text: string): string {
  const safe = text
    .replaceAll(/[\\\-'`^~"]/g, (char) => named[char] ?? char)
    // A reader of roff takes bytes for Latin-1.
    .replaceAll(
      /[^\n -~]/gu,
      (char) => `\\[u${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`,
    );
  // A line that begins so is a request.
  return safe.replaceAll(/^\./gm, '\\&.');
}

export function bold(text: string): string {
  return `\\fB${escape(text)}\\fR`;
}

export function italic(text: string): string {
  return `\\fI${escape(text)}\\fR`;
}

/** A text of the help on one line; what stands in backticks is bold. */
export function prose(text: string): string {
  return text
    .split('`')
    .map((part, i) => (i % 2 === 1 ? bold(part) : escape(part)))
    .join('');
}

/** Sentences, each on a line of its own, as roff wants them. */
export function paragraph(text: string): string {
  return text
    .split(/(?<=\.) (?=[A-Z`])/)
    .map(prose)
    .join('\n');
}

/** @param title in capitals, as readers know them */
export function section(title: string, ...content: readonly string[]): string {
  return [`.SH ${title}`, ...content].join('\n');
}

/** A term and what it means; both are roff already. */
export function item(term: string, meaning: string): string {
  return `.TP\n${term}\n${meaning}`;
}

/** Lines as they stand, indented. */
export function example(text: string): string {
  return `.RS 4\n.nf\n${escape(text)}\n.fi\n.RE`;
}

/** The top of a page of section 1. */
export function head(name: string, version: string): string {
  const words = [name.toUpperCase(), '1', '', `rotate ${version}`, 'rotate manual'];
  // Left-aligned and without hyphenation, so that what is to be typed stays whole.
  return [`.TH ${words.map(macroArgument).join(' ')}`, '.ad l', '.nh'].join('\n');
}

function macroArgument(text: string): string {
  return `"${escape(text)}"`;
}
