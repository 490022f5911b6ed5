/**
 * The payload codec: all that Temporal stores for us is sealed with it, and nothing
 * that was not sealed with it is believed.
 *
 * Format, version 1. Metadata `encoding` = `binary/rotate-sealed`, `rotate-key` = the
 * key's id, `rotate-for` = the binding (binding.ts). Data = 12 bytes nonce, AES-256-GCM
 * ciphertext of one byte (0: as it is, 1: raw deflate) and the protobuf Payload, 16 bytes tag. Authenticated with it: the JSON
 * array [format, key id, binding]. Nonces are random: NIST SP 800-38D allows 2^32 of
 * them a key.
 *
 * Journals and statuses repeat themselves: deflated, those of a rotation on 50 hosts stay well under 64 KiB. Lengths
 * then tell a little of how much repeats; values are in there sealed once more (seal.ts), which nothing compresses.
 *
 * What is refused:
 * - client: throws RotateError Forged, or WrongKey when the key differs from the worker's.
 * - worker: an unencrypted or forged payload becomes a marker (domain/refused-payload.ts),
 *   on which the workflow fails cleanly. An unknown key in what a workflow was sent becomes
 *   a marker too. In what an activity was given or gave back - only our own worker seals
 *   that, so a key was lost - it throws: the task is tried again until the key is back.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';

import type { Payload, PayloadCodec, SerializationContext } from '@temporalio/common';

import { RotateError } from '../domain/failure.js';
import { describeRefusal, refusedPayload, type Refusal } from '../domain/refused-payload.js';
import { bindingFor } from './binding.js';
import type { CodecKeyring } from './keyring.js';
import { decodePayload, encodePayload } from './payload-message.js';

const format = 'rotate/1';
const sealedEncoding = 'binary/rotate-sealed';
const nonceLength = 12;
const tagLength = 16;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export interface CodecOptions {
  /** What becomes of a refused payload; see the head of this file. */
  onRefusal: 'throw' | 'mark';
}

/** A codec that seals with the newest key of `keyring`. It never lets a payload pass in the clear. */
export function makePayloadCodec(keyring: CodecKeyring, options: CodecOptions): PayloadCodec {
  return {
    encode: async (payloads, context) => payloads.map((payload) => seal(keyring, payload, context)),
    decode: async (payloads, context) =>
      payloads.map((payload) => {
        const opened = open(keyring, payload, context);
        return typeof opened === 'string' ? refuse(opened, context, options) : opened;
      }),
  };
}

function seal(keyring: CodecKeyring, payload: Payload, context: SerializationContext | undefined): Payload {
  const { id, key } = keyring.newest;
  const binding = bindingFor(context);
  const nonce = randomBytes(nonceLength);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagLength });
  cipher.setAAD(authenticated(id, binding));
  const plain = pack(encodePayload(payload));
  const data = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  return {
    metadata: {
      encoding: encoder.encode(sealedEncoding),
      'rotate-key': encoder.encode(id),
      'rotate-for': encoder.encode(binding),
    },
    data,
  };
}

function open(
  keyring: CodecKeyring,
  payload: Payload,
  context: SerializationContext | undefined,
): Payload | Refusal {
  const { metadata } = payload;
  if (text(metadata?.['encoding']) !== sealedEncoding) return 'unsealed';
  const id = text(metadata?.['rotate-key']);
  const binding = text(metadata?.['rotate-for']);
  // Without a context only a display decodes (a codec server for the UI): what it shows is authentic, its place is not proven.
  if (context !== undefined && binding !== bindingFor(context)) return 'forged';
  const key = keyring.find(id);
  if (key === undefined) return 'unknown-key';
  const data = payload.data ?? new Uint8Array();
  if (data.length < nonceLength + tagLength) return 'forged';
  const decipher = createDecipheriv('aes-256-gcm', key.key, data.subarray(0, nonceLength), {
    authTagLength: tagLength,
  });
  decipher.setAAD(authenticated(id, binding));
  decipher.setAuthTag(data.subarray(-tagLength));
  try {
    const plain = Buffer.concat([decipher.update(data.subarray(nonceLength, -tagLength)), decipher.final()]);
    return decodePayload(unpack(plain));
  } catch {
    // A tag that does not fit, or what no version of ours has sealed; the error says no more than that.
    return 'forged';
  }
}

/** Shorter payloads gain nothing. */
const worthDeflating = 1024;
/** Far more than Temporal takes (2 MB), and a bound for what is allocated. */
const longestPayload = 64 * 1024 * 1024;

function pack(plain: Uint8Array): Buffer {
  if (plain.length < worthDeflating) return Buffer.concat([Uint8Array.of(0), plain]);
  return Buffer.concat([Uint8Array.of(1), deflateRawSync(plain)]);
}

/** @throws Error for anything that {@link pack} does not make */
function unpack(packed: Buffer): Uint8Array {
  const [form] = packed;
  const rest = packed.subarray(1);
  if (form === 0) return rest;
  if (form === 1) return inflateRawSync(rest, { maxOutputLength: longestPayload });
  throw new Error('an unknown form of payload');
}

function refuse(
  refusal: Refusal,
  context: SerializationContext | undefined,
  { onRefusal }: CodecOptions,
): Payload {
  const lostKey = refusal === 'unknown-key' && context?.type === 'activity';
  if (onRefusal === 'mark' && !lostKey)
    return {
      metadata: { encoding: encoder.encode('json/plain') },
      data: encoder.encode(JSON.stringify(refusedPayload(refusal))),
    };
  if (refusal === 'unknown-key' && onRefusal === 'throw')
    throw new RotateError('WrongKey', "the codec key differs from the worker's", {
      hint: describeRefusal(refusal, '').hint,
    });
  const place =
    context?.workflowId === undefined ? 'a payload' : `a payload of workflow ${context.workflowId}`;
  const { type, message, hint } = describeRefusal(refusal, place);
  throw new RotateError(type, message, { hint });
}

function authenticated(keyId: string, binding: string): Uint8Array {
  return encoder.encode(JSON.stringify([format, keyId, binding]));
}

function text(bytes: Uint8Array | null | undefined): string {
  return bytes === null || bytes === undefined ? '' : decoder.decode(bytes);
}
