/**
 * SCRAM-SHA-256 verifiers as PostgreSQL stores them, computed here so that the
 * server never sees the password.
 *
 * SaltedPassword = PBKDF2-HMAC-SHA-256(SASLprep(password), salt, iterations);
 * StoredKey = SHA-256(HMAC(SaltedPassword, "Client Key"));
 * ServerKey = HMAC(SaltedPassword, "Server Key") (RFC 5802 section 3, RFC 7677).
 * Stored form: `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`, in base64
 * (PostgreSQL manual, pg_authid).
 */
import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { SecretValue } from '../../domain/secret-value.js';

const derive = promisify(pbkdf2);

/** PostgreSQL's own default (scram_iterations), and RFC 7677's minimum. */
export const defaultIterations = 4096;
const saltBytes = 16;

/**
 * The verifier of `password`.
 * @param salt 16 random bytes when absent
 */
export async function scramVerifier(
  password: SecretValue,
  salt: Uint8Array = randomBytes(saltBytes),
  iterations: number = defaultIterations,
): Promise<SecretValue> {
  const salted = await derive(normalized(password), salt, iterations, 32, 'sha256');
  const clientKey = createHmac('sha256', salted).update('Client Key').digest();
  const storedKey = createHash('sha256').update(clientKey).digest('base64');
  const serverKey = createHmac('sha256', salted).update('Server Key').digest('base64');
  const saltText = Buffer.from(salt).toString('base64');
  return SecretValue.fromText(`SCRAM-SHA-256$${iterations}:${saltText}$${storedKey}:${serverKey}`);
}

/** Hex SHA-256 of a verifier: what the server is asked for, so that the verifier itself never leaves it. */
export function fingerprint(verifier: SecretValue): string {
  return createHash('sha256').update(verifier.bytes()).digest('hex');
}

/**
 * SASLprep (RFC 4013): spaces, what is mapped to nothing, NFKC. Prohibited characters are left as they are,
 * as PostgreSQL does. Bytes that are not UTF-8 are used raw, as PostgreSQL does as well.
 */
function normalized(password: SecretValue): Uint8Array {
  const bytes = password.bytes();
  if (bytes.every((byte) => byte < 0x80)) return bytes;
  let text: string;
  try {
    text = password.text();
  } catch (error) {
    if (error instanceof TypeError) return bytes;
    throw error;
  }
  const prepared = text
    .replace(/[\u00A0\u1680\u2000-\u200B\u202F\u205F\u3000]/gu, ' ')
    .replace(/\u00AD|\u034F|\u1806|[\u180B-\u180D]|[\u200C\u200D]|\u2060|[\uFE00-\uFE0F]|\uFEFF/gu, '')
    .normalize('NFKC');
  return new TextEncoder().encode(prepared);
}
