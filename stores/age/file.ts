/**
 * Encrypting and opening age files, as streams: given bytes, age-encryption collects what comes out with a `Response`,
 * for which Node loads its HTTP client.
 */
import { Decrypter, Encrypter, armor as armorFormat, type Identity } from 'age-encryption';
import { asRotateError, RotateError } from '../../domain/failure.js';
import { SecretValue } from '../../domain/secret-value.js';
import { concat } from './bytes.js';
import { type AgeHeader, dearmor, describeStanzas, malformed, readHeader } from './header.js';
import type { AgeIdentity } from './identity.js';
import { parseRecipients } from './recipient.js';

const payloadNonceSize = 16;

/** A value, and the key that opened it (an older one than the first of the keyring means: encrypt it again). */
export interface Opened {
  readonly value: SecretValue;
  readonly identity: AgeIdentity;
}

/**
 * Encrypts to all recipients, with a fresh file key.
 *
 * @param recipients as in rules and `.pub` files; see `parseRecipient`.
 * @param options.armor text instead of binary.
 * @throws RotateError `BadRecipient`.
 */
export async function encrypt(
  plaintext: Uint8Array,
  recipients: readonly string[],
  options: { readonly armor: boolean },
): Promise<Uint8Array> {
  const encrypter = new Encrypter();
  for (const { recipient } of parseRecipients(recipients)) encrypter.addRecipient(recipient);
  let file: Uint8Array;
  try {
    file = await collect(await encrypter.encrypt(streamOf(plaintext)));
  } catch (cause) {
    // all that depends on input was parsed, except that an age1… key may be a low-order point
    throw new RotateError('BadRecipient', 'a recipient cannot be encrypted to', {
      hint: 'see the public keys that the rules name for the file',
      cause,
    });
  }
  return options.armor ? new TextEncoder().encode(armorFormat.encode(file)) : file;
}

/**
 * Opens a file, armored or not, with the first identity that it is encrypted to.
 *
 * @throws RotateError `CannotOpen`; see {@link openWithKeyring}.
 */
export async function decrypt(
  ciphertext: Uint8Array,
  identities: readonly AgeIdentity[],
): Promise<SecretValue> {
  return (await openWithKeyring(ciphertext, identities, 'the file')).value;
}

/**
 * Opens a file with a keyring.
 *
 * Each key is tried in turn; one that the file is not encrypted to is passed over. A file that is malformed, or
 * whose stanza for one of our keys does not open, is an error at once, as with `age`: trying on could hide it.
 *
 * @param keyring newest first.
 * @param fileName is named in errors.
 * @throws RotateError `CannotOpen`, with the detail `stage`: `no-match` when no key fits (the message names the tags
 * that the file is encrypted to and those of the keyring), `armor`, `header` or `payload` when the file is damaged.
 */
export async function openWithKeyring(
  ciphertext: Uint8Array,
  keyring: readonly AgeIdentity[],
  fileName: string,
): Promise<Opened> {
  try {
    return await open(ciphertext, keyring, fileName);
  } catch (error) {
    const known = asRotateError(error);
    if (known === undefined || known.details?.['stage'] === 'no-match') throw error;
    throw new RotateError(
      'CannotOpen',
      known.message.replace(/^the file/, () => fileName),
      {
        ...(known.hint === undefined ? {} : { hint: known.hint }),
        details: { ...known.details, file: fileName },
        cause: known.cause,
      },
    );
  }
}

async function open(
  ciphertext: Uint8Array,
  keyring: readonly AgeIdentity[],
  fileName: string,
): Promise<Opened> {
  const file = dearmor(ciphertext);
  const header = readHeader(file);
  refusePassphrase(header);
  for (const identity of keyring) {
    const contents = await contentsFor(file, header, identity);
    if (contents === undefined) continue;
    const plaintext = await collect(contents).catch(damaged);
    const value = new SecretValue(plaintext);
    plaintext.fill(0);
    return { value, identity };
  }
  throw noMatch(header, keyring, fileName);
}

/** What the file holds, or undefined when it is not encrypted to `identity`. The header's MAC has been checked. */
async function contentsFor(
  file: Uint8Array,
  header: AgeHeader,
  { identity }: AgeIdentity,
): Promise<ReadableStream<Uint8Array> | undefined> {
  // asked only after `identity` has found no stanza of its own: tells "not for us" from "damaged" without reading messages
  let passedOver = false;
  const sentinel: Identity = {
    unwrapFileKey() {
      passedOver = true;
      return null;
    },
  };
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity());
  decrypter.addIdentity(sentinel);
  // what is cut off right after its header has a header all the same
  const bare = file.length < header.length + payloadNonceSize;
  try {
    if (!bare) return await decrypter.decrypt(streamOf(file));
    await decrypter.decryptHeader(file.subarray(0, header.length));
  } catch (cause) {
    if (passedOver) return undefined;
    throw malformed('its header is damaged or was tampered with', 'header', cause);
  }
  return damaged(new Error('it ends after its header'));
}

function damaged(cause: unknown): never {
  throw malformed('its contents are damaged or cut off', 'payload', cause);
}

/** A passphrase stanza must stand alone, whatever other stanza we could open (age-encryption does not check it). */
function refusePassphrase({ stanzas }: AgeHeader): void {
  if (!stanzas.some(({ type }) => type === 'scrypt')) return;
  if (stanzas.length > 1) throw malformed('it mixes a passphrase with other recipients', 'header');
  throw malformed('it is encrypted with a passphrase, not to keys', 'header');
}

function noMatch({ stanzas }: AgeHeader, keyring: readonly AgeIdentity[], fileName: string): RotateError {
  const { tags, x25519, postQuantum } = describeStanzas(stanzas);
  const readers = [
    ...stanzas.flatMap(({ type, args: [tag] }) =>
      type.startsWith('ssh-') ? [`${type} ${tag ?? ''}`.trim()] : [],
    ),
    ...(x25519 === 0 ? [] : [`${x25519} age1… (anonymous)`]),
    ...(postQuantum === 0 ? [] : [`${postQuantum} age1pq1… (anonymous)`]),
  ];
  const ours = keyring.map(({ type, tag, recipient }) => (tag === undefined ? recipient : `${type} ${tag}`));
  return new RotateError(
    'CannotOpen',
    `none of our keys opens ${fileName}: it is encrypted to ${readers.join(', ') || 'nobody we know'}; ours: ${ours.join(', ') || 'none'}`,
    {
      hint: 'add the public key of one of ours to the rules and encrypt the file again, or bring back the older key',
      details: { stage: 'no-match', file: fileName, tags },
    },
  );
}

function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
}

async function collect(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) chunks.push(next.value);
  const bytes = concat(...chunks);
  // they may be a secret, and nobody else has them
  for (const chunk of chunks) chunk.fill(0);
  return bytes;
}
