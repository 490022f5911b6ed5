/**
 * All forms in which a value may lie somewhere: as it is, encoded, escaped, printed byte by byte, and
 * encoded after having been escaped. The search of matcher.ts looks for all of them at once.
 */

/** What must not be found: the canary value, its verifier, or a decoy. */
export interface Needle {
  /** Told in a report instead of the value. */
  name: string;
  /** At least {@link shortestNeedle} bytes. */
  value: string;
}

/** One form of a needle, as the bytes that are searched for. */
export interface Pattern {
  needle: string;
  /** For example `plain`, `base64`, `base64(json)`. */
  form: string;
  bytes: Buffer;
  /** Encoders break such text into lines, so it is looked for without line ends as well. */
  wraps: boolean;
}

/** Shorter values are found by chance, and their base64 too. */
export const shortestNeedle = 8;

interface Form {
  form: string;
  bytes: Buffer;
}

const alphanumeric = /[A-Za-z0-9]/;

/** The value's UTF-8 bytes, each by `print`. */
function eachByte(value: Buffer, print: (byte: number, index: number) => string, separator = ''): string {
  return Array.from(value, print).join(separator);
}

function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

/** The value with the characters that `escaped` names written by `escape`, in lower and upper case. */
function bothCases(
  value: string,
  escaped: (character: string) => boolean,
  escape: (unit: string) => string,
): string[] {
  const texts = ['lower', 'upper'].map((digits) =>
    Array.from(value, (character) => {
      if (!escaped(character)) return character;
      return escape(character).replaceAll(/[0-9a-f]{2}/g, (hex) =>
        digits === 'upper' ? hex.toUpperCase() : hex,
      );
    }).join(''),
  );
  return texts;
}

function percent(character: string): string {
  return eachByte(Buffer.from(character), (byte) => `%${hexByte(byte)}`);
}

function unicodeEscape(character: string): string {
  let out = '';
  for (let i = 0; i < character.length; i += 1)
    out += `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`;
  return out;
}

function backslashX(character: string): string {
  return eachByte(Buffer.from(character), (byte) => `\\x${hexByte(byte)}`);
}

function isSpecial(character: string): boolean {
  return !alphanumeric.test(character);
}

function always(): boolean {
  return true;
}

/** RFC 8259, and the optional escapes that encoders choose: `\/`, `\u003c` (Go's HTML-safe), `\u00XX`. */
function jsonForms(value: string): string[] {
  const plain = JSON.stringify(value).slice(1, -1);
  return [
    plain,
    plain.replaceAll('/', String.raw`\/`),
    plain.replaceAll(/[<>&]/g, unicodeEscape),
    plain.replaceAll('/', String.raw`\/`).replaceAll(/[<>&]/g, unicodeEscape),
    plain.replaceAll(/[^\x20-\x7e]/g, unicodeEscape),
    ...bothCases(value, isSpecial, unicodeEscape),
    ...bothCases(value, always, unicodeEscape),
    // JSON within a JSON string
    JSON.stringify(plain).slice(1, -1),
  ];
}

/** Percent-encoding by the sets in use: RFC 3986, JavaScript's two, a form's, a URL's user part; all of it. */
function urlForms(value: string): string[] {
  const component = encodeURIComponent(value);
  const strict = component.replaceAll(/[!'()*]/g, percent);
  const user = new URL('postgresql://user@host/');
  user.password = value;
  const upper = [
    component,
    strict,
    encodeURI(value),
    new URLSearchParams({ v: value }).toString().slice(2),
    user.password,
  ];
  return [
    ...upper,
    ...upper.map((text) => text.replaceAll(/%[0-9A-Fa-f]{2}/g, (hex) => hex.toUpperCase())),
    ...upper.map((text) => text.replaceAll(/%[0-9A-Fa-f]{2}/g, (hex) => hex.toLowerCase())),
    ...bothCases(value, isSpecial, percent),
    ...bothCases(value, always, percent),
  ];
}

/**
 * The part of the base64 text that depends on `bytes` alone, for each position that they may have in what
 * was encoded: the neighbours share the first and the last character, and padding comes after it.
 */
function base64Cores(bytes: Buffer, encoding: 'base64' | 'base64url'): Buffer[] {
  return [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString(encoding);
    return Buffer.from(
      text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6)),
      'latin1',
    );
  });
}

function named(form: string, texts: readonly (string | Buffer)[]): Form[] {
  return texts.map((text) => ({ form, bytes: Buffer.from(text) }));
}

function encodings(bytes: Buffer): Form[] {
  const hex = bytes.toString('hex');
  return [
    ...named('base64', base64Cores(bytes, 'base64')),
    ...named('base64url', base64Cores(bytes, 'base64url')),
    ...named('hex', [hex, hex.toUpperCase()]),
  ];
}

/** How programs print bytes: `<Buffer 61 62>`, `[97,98]`, `{"0":97,"1":98}`, `\x61`, `61:62`. */
function byteForms(value: string, bytes: Buffer): Form[] {
  const spaced = eachByte(bytes, hexByte, ' ');
  return [
    ...named('bytes', [spaced, spaced.toUpperCase(), spaced.replaceAll(' ', ':')]),
    ...named('bytes', [eachByte(bytes, String, ','), eachByte(bytes, String, ', ')]),
    ...named('bytes', [eachByte(bytes, (byte, index) => `"${index}":${byte}`, ',')]),
    ...named('bytes', [...bothCases(value, isSpecial, backslashX), ...bothCases(value, always, backslashX)]),
  ];
}

/** UTF-16 with the other byte first. */
function bigEndian(value: string): Buffer {
  return Buffer.from(value, 'utf16le').swap16();
}

/**
 * The forms of a needle, without repetitions; a value of letters and digits has fewer.
 * @throws Error when the value is too short to be searched for.
 */
export function formsOf(needle: Needle): Pattern[] {
  const { value } = needle;
  const bytes = Buffer.from(value);
  if (bytes.length < shortestNeedle)
    throw new Error(`cannot search for ${needle.name}: it has fewer than ${shortestNeedle} bytes`);
  const texts = [
    ...named('plain', [bytes]),
    ...named('json', jsonForms(value)),
    ...named('url', urlForms(value)),
    ...named('quoted', [value.replaceAll("'", "''"), value.replaceAll("'", String.raw`'\''`)]),
  ];
  const wide = [
    ...named('utf-16le', [Buffer.from(value, 'utf16le')]),
    ...named('utf-16be', [bigEndian(value)]),
  ];
  const encoded = encodings(bytes);
  const escaped = encoded.flatMap((inner) => {
    const text = inner.bytes.toString('latin1');
    return [
      ...named(`json(${inner.form})`, [text.replaceAll('/', String.raw`\/`)]),
      ...named(`url(${inner.form})`, urlForms(text).slice(0, 1)),
      ...named(`url(${inner.form})`, [
        urlForms(text)[0]?.replaceAll(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase()) ?? text,
      ]),
    ];
  });
  const twice = [...texts.slice(1), ...wide, ...encoded].flatMap((inner) =>
    encodings(inner.bytes).map(({ form, bytes: outer }) => ({
      form: `${form}(${inner.form})`,
      bytes: outer,
    })),
  );
  const found = new Map<string, Pattern>();
  for (const { form, bytes: pattern } of [
    ...texts,
    ...encoded,
    ...wide,
    ...byteForms(value, bytes),
    ...escaped,
    ...twice,
  ]) {
    const key = pattern.toString('latin1');
    if (!found.has(key))
      found.set(key, { needle: needle.name, form, bytes: pattern, wraps: /^(base64|hex)/.test(form) });
  }
  return [...found.values()];
}
