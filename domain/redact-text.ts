/**
 * The last net under messages that other programs wrote (psql, ssh, nix, the SDK):
 * takes out what looks like a credential. It is not a way to handle secrets - those
 * are SecretValue and never become text - but keeps a slip of theirs from being
 * stored in a failure or a log line.
 */

const redacted = '[redacted]';

/** Pattern, and what stands in its place. Linear: none nests a repetition. */
const patterns: readonly (readonly [RegExp, string])[] = [
  // age identities, also post-quantum and plugin ones
  [/AGE-(?:SECRET-KEY|PLUGIN)-[0-9A-Z-]+/gi, redacted],
  // PEM and OpenSSH private keys, whole or cut off
  [/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)/g, redacted],
  // PostgreSQL verifiers
  [/SCRAM-SHA-256\$\d+:[0-9A-Za-z+/=]+\$[0-9A-Za-z+/=]+:[0-9A-Za-z+/=]+/g, redacted],
  [/\bmd5[0-9a-f]{32}\b/g, redacted],
  // the password in a URL: scheme://user:password@
  [/\b([a-z][a-z0-9+.-]{0,31}:\/\/[^\s/:@'"]{0,256}):[^\s/'"]{1,1024}@/gi, `$1:${redacted}@`],
  // password=… and PASSWORD '…', but not `prod/db-password: no such file`
  [
    /(?<![\w/.-])((?:pg)?pass(?:word|wd|phrase))(\s*=\s*|\s+(?='))('[^']*'?|"[^"]*"?|[^\s'",;]+)/gi,
    `$1$2${redacted}`,
  ],
  // JSON Web Tokens
  [/\beyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]*/g, redacted],
];

/** `text` without what looks like a credential. Applying it twice changes nothing more. */
export function redactText(text: string): string {
  return patterns.reduce((rest, [pattern, replacement]) => rest.replace(pattern, replacement), text);
}
