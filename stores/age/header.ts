/** The header of an age file, which anyone may read: whom it is encrypted to, as far as stanzas say it. */
import { armor } from 'age-encryption';
import { RotateError } from '../../domain/failure.js';
import { fromBase64 } from './bytes.js';

/** One recipient's part of a header. `args` follow the type: for SSH keys, the tag is the first. */
export interface HeaderStanza {
  readonly type: string;
  readonly args: readonly string[];
}

export interface AgeHeader {
  /** In the order of the file, without grease (stanzas made up to keep readers tolerant). */
  readonly stanzas: readonly HeaderStanza[];
  readonly armored: boolean;
  /** Length of the header in bytes, within the decoded file. */
  readonly length: number;
}

/** What {@link describeStanzas} tells. */
export interface HeaderSummary {
  /** Tags of the SSH keys, in the order of the file. */
  readonly tags: readonly string[];
  /** Number of anonymous `age1…` recipients. */
  readonly x25519: number;
  /** Number of anonymous `age1pq1…` recipients. */
  readonly postQuantum: number;
}

const intro = 'age-encryption.org/v1\n';
const armorStart = '-----BEGIN AGE ENCRYPTED FILE-----';

/** Whether the file is armored (text, PEM-like). White space before the armor is allowed, as age does. */
export function isArmored(ciphertext: Uint8Array): boolean {
  return Buffer.from(ciphertext.subarray(0, 1024)).toString('latin1').trimStart().startsWith(armorStart);
}

/**
 * The binary file that `ciphertext` is, or that its armor holds.
 * @throws RotateError `CannotOpen` when the armor is malformed.
 */
export function dearmor(ciphertext: Uint8Array): Uint8Array {
  if (!isArmored(ciphertext)) return ciphertext;
  try {
    return armor.decode(Buffer.from(ciphertext).toString('latin1'));
  } catch (cause) {
    throw malformed('its armor is damaged', 'armor', cause);
  }
}

/**
 * Reads a header for audits. Its MAC is not checked: that takes the file key, so a header may say anything
 * until the file has been opened.
 *
 * @throws RotateError `CannotOpen` when `ciphertext` is no age file, or its header is malformed.
 */
export function readHeader(ciphertext: Uint8Array): AgeHeader {
  const file = dearmor(ciphertext);
  // A character is a byte.
  const text = Buffer.from(file.buffer, file.byteOffset, file.byteLength).toString('latin1');
  if (!text.startsWith(intro)) throw malformed('it is no age file', 'header');
  const stanzas: HeaderStanza[] = [];
  let offset = intro.length;
  for (;;) {
    const line = readLine(text, offset);
    offset += line.length + 1;
    if (line.startsWith('---')) {
      if (!/^--- [A-Za-z0-9+/]{43}$/.test(line))
        throw malformed('the last line of its header is damaged', 'header');
      return {
        stanzas: stanzas.filter(({ type }) => !/(^|-)grease$/.test(type)),
        armored: file !== ciphertext,
        length: offset,
      };
    }
    const [arrow, type, ...args] = line.split(' ');
    if (arrow !== '->' || !type || args.includes(''))
      throw malformed('the part of its header for one reader is damaged', 'header');
    stanzas.push({ type, args });
    offset = skipBody(text, offset);
  }
}

/** Counts and tags of the known recipients of a header, for comparing with the rules. */
export function describeStanzas(stanzas: readonly HeaderStanza[]): HeaderSummary {
  const count = (wanted: string) => stanzas.filter(({ type }) => type === wanted).length;
  return {
    tags: stanzas.flatMap(({ type, args: [tag] }) =>
      type.startsWith('ssh-') && tag !== undefined ? [tag] : [],
    ),
    x25519: count('X25519'),
    postQuantum: count('mlkem768x25519'),
  };
}

/** @param stage where opening stopped; carried as a detail, because the type is the same. */
export function malformed(why: string, stage: 'armor' | 'header' | 'payload', cause?: unknown): RotateError {
  return new RotateError('CannotOpen', `the file cannot be opened: ${why}`, {
    hint: 'see whether it is the right file and whole; else make it anew with `agenix -e`',
    details: { stage },
    cause,
  });
}

/** A body is lines of 64 characters of base64 and a shorter (maybe empty) last one. */
function skipBody(text: string, start: number): number {
  for (let offset = start; ;) {
    const line = readLine(text, offset);
    offset += line.length + 1;
    if (line.length > 64 || fromBase64(line) === undefined)
      throw malformed('the part of its header for one reader is damaged', 'header');
    if (line.length < 64) return offset;
  }
}

function readLine(text: string, offset: number): string {
  const end = text.indexOf('\n', offset);
  const line = end === -1 ? undefined : text.slice(offset, end);
  if (line === undefined || /[^\x20-\x7e]/.test(line))
    throw malformed('its header is cut off or not text', 'header');
  return line;
}
