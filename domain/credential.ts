/** What an issuer accepts, and where a rotation wants it to be. */
import type { SecretValue } from './secret-value.js';

/** One credential in the clear. Exists only inside an activity. */
export interface Credential {
  /** Account that it belongs to, where the kind has accounts (a PostgreSQL role, an access key id). */
  account?: string;
  /** What is presented to the issuer: the password, the token, the private key. */
  value: SecretValue;
  /**
   * What the issuer stores for it when that is made here (a SCRAM verifier with its salt), so that every
   * attempt provisions the same bytes. As secret as the value.
   */
  verifier?: SecretValue;
  /** Older values that the file lists behind this one, newest first; they are accepted as long as they stand there. */
  previous?: readonly SecretValue[];
}

/** The issuer's side of a rotation, as a place to converge to. */
export interface Target {
  old: 'valid' | 'disabled' | 'destroyed';
  new: 'absent' | 'valid';
}

/** What a probe found. A network error is `unknown`, never `refused`. */
export interface CheckResult {
  outcome: 'accepted' | 'refused' | 'unknown';
  /** The issuer's own code for a refusal (an SQLSTATE, an HTTP status). */
  code?: string;
  /** Endpoint as configured, e.g. `db-1:5432`. */
  endpoint: string;
  /** Host that the probe was made from; absent: the worker. */
  host?: string;
  /** The issuer's words, without secrets. */
  message?: string;
}

/** Someone who still uses a credential. */
export interface CredentialUser {
  /** Who: address, application and account, as far as the issuer tells. */
  description: string;
  /** IP address that it comes from, where the issuer tells. */
  address?: string;
  /** RFC 3339, UTC. */
  since?: string;
}
