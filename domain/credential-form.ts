/** A credential as JSON, in the form in which it is sealed. Written by the worker, and by whoever brings a value. */
import type { Credential } from './credential.js';
import { SecretValue } from './secret-value.js';

interface CredentialForm {
  account?: string;
  /** base64, as the others. */
  value: string;
  verifier?: string;
  previous?: string[];
}

/** UTF-8 of the JSON; as secret as the credential. */
export function encodeCredential({ account, value, verifier, previous }: Credential): Uint8Array {
  const form: CredentialForm = {
    ...(account === undefined ? {} : { account }),
    value: toBase64(value),
    ...(verifier === undefined ? {} : { verifier: toBase64(verifier) }),
    ...(previous === undefined ? {} : { previous: previous.map(toBase64) }),
  };
  return new TextEncoder().encode(JSON.stringify(form));
}

/** The inverse of {@link encodeCredential}; undefined when `bytes` are something else. */
export function decodeCredential(bytes: Uint8Array): Credential | undefined {
  const form: unknown = JSON.parse(new TextDecoder().decode(bytes));
  if (!isForm(form)) return undefined;
  const { account, value, verifier, previous } = form;
  return {
    ...(account === undefined ? {} : { account }),
    value: fromBase64(value),
    ...(verifier === undefined ? {} : { verifier: fromBase64(verifier) }),
    ...(previous === undefined ? {} : { previous: previous.map(fromBase64) }),
  };
}

function isForm(form: unknown): form is CredentialForm {
  return (
    typeof form === 'object' &&
    form !== null &&
    'value' in form &&
    typeof form.value === 'string' &&
    (!('account' in form) || typeof form.account === 'string') &&
    (!('verifier' in form) || typeof form.verifier === 'string') &&
    (!('previous' in form) ||
      (Array.isArray(form.previous) && form.previous.every((value) => typeof value === 'string')))
  );
}

function toBase64(value: SecretValue): string {
  return btoa(Array.from(value.bytes(), (byte) => String.fromCharCode(byte)).join(''));
}

function fromBase64(text: string): SecretValue {
  return new SecretValue(Uint8Array.from(atob(text), (char) => char.charCodeAt(0)));
}
