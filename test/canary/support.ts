/** Encoders written for these tests, apart from those of the search, and a scratch folder. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { Inspector } from '../../infra/canary/inspector.js';
import type { Hit } from '../../infra/canary/place.js';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function utf8(text: string): number[] {
  return [...new TextEncoder().encode(text)];
}

/** Base64 by bits (RFC 4648, section 4). */
export function base64(bytes: readonly number[], padded = true): string {
  const bits = bytes.map((byte) => byte.toString(2).padStart(8, '0')).join('');
  let out = '';
  for (let i = 0; i < bits.length; i += 6)
    out += alphabet[parseInt(bits.slice(i, i + 6).padEnd(6, '0'), 2)] ?? '';
  return padded ? out.padEnd(Math.ceil(out.length / 4) * 4, '=') : out;
}

function hex(bytes: readonly number[]): string {
  return bytes.map((byte) => (byte < 16 ? '0' : '') + byte.toString(16)).join('');
}

function toUrlAlphabet(text: string): string {
  return text.replaceAll('+', '-').replaceAll('/', '_');
}

/** Each form's name, and text in that form. */
export const encoders: Record<string, (text: string) => Uint8Array | string> = {
  plain: (text) => text,
  'base64, padded': (text) => base64(utf8(text)),
  'base64, not padded': (text) => base64(utf8(text), false),
  'base64, in lines of 76': (text) => base64(utf8(text)).replaceAll(/.{76}/g, '$&\n'),
  'base64, in lines of 64 as in armor': (text) => base64(utf8(text)).replaceAll(/.{64}/g, '$&\r\n'),
  base64url: (text) => toUrlAlphabet(base64(utf8(text), false)),
  hex: (text) => hex(utf8(text)),
  HEX: (text) => hex(utf8(text)).toUpperCase(),
  'percent-encoded': (text) => encodeURIComponent(text),
  'percent-encoded, lower case': (text) =>
    encodeURIComponent(text).replaceAll(/%../g, (code) => code.toLowerCase()),
  'percent-encoded, all of it': (text) =>
    utf8(text)
      .map((byte) => `%${hex([byte]).toUpperCase()}`)
      .join(''),
  form: (text) => new URLSearchParams([['v', text]]).toString(),
  json: (text) => JSON.stringify({ text }),
  'json with escaped slashes': (text) => JSON.stringify({ text }).replaceAll('/', '\\/'),
  'json, all escaped': (text) =>
    Array.from(
      { length: text.length },
      (_, i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`,
    ).join(''),
  'json of json': (text) => JSON.stringify(JSON.stringify({ text })),
  'base64 of json': (text) => base64(utf8(JSON.stringify({ text }))),
  'base64 of base64': (text) => base64(utf8(base64(utf8(text)))),
  'hex of base64': (text) => hex(utf8(base64(utf8(text)))),
  'percent-encoded base64': (text) => encodeURIComponent(base64(utf8(text))),
  'base64 in json': (text) => JSON.stringify({ data: base64(utf8(text)) }).replaceAll('/', '\\/'),
  'utf-16le': (text) =>
    Uint8Array.from(
      Array.from({ length: text.length }, (_, i) => text.charCodeAt(i)).flatMap((unit) => [
        unit & 255,
        unit >> 8,
      ]),
    ),
  'a printed Buffer': (text) =>
    utf8(text)
      .map((byte) => hex([byte]))
      .join(' '),
  'a Buffer in JSON': (text) => JSON.stringify(Buffer.from(text)),
};

/** What is found in `data`, given in chunks of the sizes that `sizes` repeats. */
export async function find(
  value: string,
  data: Uint8Array | string,
  sizes: readonly number[] = [1 << 20],
): Promise<Hit[]> {
  const inspector = new Inspector([{ name: 'value', value }]);
  const sink = inspector.open('here');
  const bytes = Buffer.from(data);
  for (let at = 0, i = 0; at < bytes.length; i += 1) {
    const size = sizes[i % sizes.length] ?? 1;
    await sink.push(bytes.subarray(at, at + size));
    at += size;
  }
  await sink.end();
  return inspector.hits;
}

/** A folder of the calling test file's own. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'rotate-test-canary-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
