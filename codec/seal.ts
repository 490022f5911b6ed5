/**
 * Sealing: the only form in which a value leaves an activity is encrypted to the
 * worker's own age recipient, inside of what the payload codec encrypts again. So an
 * operator, who has the codec key to see a rotation's progress, cannot read its values.
 */
import { Decrypter, Encrypter, identityToRecipient } from 'age-encryption';

import { RotateError } from '../domain/failure.js';
import { readKeyFile } from './keyring.js';

/** Seals to the newest identity's recipient; opens with any of the keyring. */
export interface Sealer {
  /** An age file in base64. */
  seal(value: Uint8Array): Promise<string>;
  /** @throws RotateError CannotOpen, naming the recipients that this keyring has */
  open(sealed: string): Promise<Uint8Array>;
  /** Recipients of the keyring, newest first. */
  readonly recipients: readonly string[];
}

/**
 * Reads the text of an age identity file: `AGE-SECRET-KEY-1…` lines, newest first, empty lines and comments.
 * @throws RotateError BadConfig, naming source and line and never the line's content
 */
export function parseIdentities(text: string, source: string): string[] {
  const identities: string[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    if (!/^AGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]+$/.test(line))
      throw new RotateError('BadConfig', `${source}:${index + 1}: not an age identity`, {
        hint: 'the worker seals with a key of its own, made by `age-keygen`; SSH keys and plugins are for stores only',
      });
    identities.push(line);
  }
  if (identities.length === 0)
    throw new RotateError('BadConfig', `${source}: holds no age identity`, {
      hint: '`rotate dev` makes one; elsewhere `age-keygen`',
    });
  return identities;
}

/**
 * @param identities newest first
 * @throws RotateError BadConfig when one of them is not valid
 */
export async function makeSealer(identities: readonly string[]): Promise<Sealer> {
  const decrypter = new Decrypter();
  const recipients: string[] = [];
  for (const [index, identity] of identities.entries()) {
    try {
      recipients.push(await identityToRecipient(identity));
      decrypter.addIdentity(identity);
    } catch {
      // The library's message may quote the key.
      throw new RotateError('BadConfig', `age identity ${index + 1} of the worker is not valid`, {
        hint: 'check the identity files of worker.yaml',
      });
    }
  }
  const [newest] = recipients;
  if (newest === undefined)
    throw new RotateError('BadConfig', 'the worker has no age identity', {
      hint: 'name one under identities in worker.yaml; `rotate dev` makes its own',
    });
  return {
    recipients,
    seal: (value) => sealTo(newest, value),
    open: async (sealed) => {
      try {
        return await decrypter.decrypt(Buffer.from(sealed, 'base64'));
      } catch (error) {
        throw cannotOpen(error, recipients);
      }
    },
  };
}

/**
 * Seals for a worker whose recipient is known, as whoever brings a value does.
 * @throws RotateError BadConfig when `recipient` is none
 */
export async function sealTo(recipient: string, value: Uint8Array): Promise<string> {
  const encrypter = new Encrypter();
  try {
    encrypter.addRecipient(recipient);
  } catch {
    throw new RotateError('BadConfig', `the worker's recipient ${recipient} is not one of age's`, {
      hint: 'use the same version of rotate as the worker',
    });
  }
  return Buffer.from(await encrypter.encrypt(value)).toString('base64');
}

function cannotOpen(error: unknown, recipients: readonly string[]): RotateError {
  const missing = error instanceof Error && error.message.includes('no identity matched');
  return new RotateError(
    'CannotOpen',
    missing
      ? `a sealed value was sealed to none of the worker's recipients (${recipients.join(', ')})`
      : "a sealed value is damaged and does not open with the worker's identities",
    {
      hint: missing
        ? 'put the identity that the worker had when the rotation began back into its keyring, then retry'
        : 'roll the rotation back; its value cannot be recovered',
      details: { recipients },
    },
  );
}

/**
 * Reads identity files, newest first.
 * @throws RotateError BadConfig
 */
export async function loadSealer(paths: readonly string[]): Promise<Sealer> {
  const identities: string[] = [];
  for (const path of paths)
    identities.push(...parseIdentities(await readKeyFile(path, 'age identity'), path));
  return makeSealer(identities);
}
