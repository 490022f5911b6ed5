/**
 * The only type that holds a plaintext.
 *
 * It prints `[redacted]` in every way that JavaScript can print it (string
 * conversion, JSON, `util.inspect`, template literals), so that a slip in a log
 * line or an error message cannot give the value away.
 */

const redacted = '[redacted]';
const encoder = new TextEncoder();

export class SecretValue {
  readonly #bytes: Uint8Array;

  /** @param bytes the plaintext; copied, so that the caller may wipe his own. */
  constructor(bytes: Uint8Array) {
    this.#bytes = Uint8Array.from(bytes);
  }

  /** The UTF-8 bytes of `text`. */
  static fromText(text: string): SecretValue {
    return new SecretValue(encoder.encode(text));
  }

  /** A copy of the plaintext. Hold it as briefly as possible. */
  bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }

  /**
   * The plaintext as text.
   * @throws TypeError when the bytes are not valid UTF-8 (the error does not contain them).
   */
  text(): string {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.#bytes);
  }

  /** Length in bytes. */
  get length(): number {
    return this.#bytes.length;
  }

  /** Whether both hold the same bytes; takes the same time wherever they differ. */
  equals(other: SecretValue): boolean {
    if (this.#bytes.length !== other.#bytes.length) return false;
    let difference = 0;
    for (const [i, byte] of this.#bytes.entries()) difference |= byte ^ (other.#bytes[i] ?? 0);
    return difference === 0;
  }

  /** Overwrites the plaintext with zeros; the value is useless afterwards. */
  wipe(): void {
    this.#bytes.fill(0);
  }

  toString(): string {
    return redacted;
  }

  toJSON(): string {
    return redacted;
  }

  get [Symbol.toStringTag](): string {
    return 'SecretValue';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return redacted;
  }
}
