/** What PostgreSQL's own error codes mean to us (PostgreSQL manual, appendix A). */
import { type FailureType, RotateError } from '../../domain/failure.js';

/** Raised by our own statements inside a transaction; class RT is nobody else's. */
export const ownCodes = {
  /** The comment changed since it was read: read again. */
  commentChanged: 'RT001',
} as const;

/** Codes with which a login is refused for who asks: the password is wrong, or the role may not log in (here). */
export function isLoginRefusal(code: string): boolean {
  return code === '28P01' || code === '28000';
}

/** The failure that an SQLSTATE of an admin session stands for. */
export function failureOf(code: string): { type: FailureType; hint?: string } {
  const group = code.slice(0, 2);
  if (isLoginRefusal(code))
    return { type: 'IssuerAuthFailed', hint: 'check the admin login and pg_hba.conf' };
  if (code === '42501')
    return {
      type: 'IssuerMisconfigured',
      hint: 'grant the admin login the rights that docs/kinds/postgres.md lists',
    };
  if (code === '25006')
    return { type: 'IssuerMisconfigured', hint: 'administer the primary server, not a replica' };
  if (code === '55P03' || code === '57014' || code === '25P03') return { type: 'Timeout' };
  // serialization failure, deadlock, and "tuple concurrently updated", which is an internal error to PostgreSQL
  if (group === '40' || code === 'XX000') return { type: 'IssuerBusy' };
  // connection exceptions, resources, operator intervention (shutdown, starting up)
  if (group === '08' || group === '53' || group === '57') return { type: 'IssuerUnreachable' };
  return { type: 'IssuerMisconfigured' };
}

/** A {@link RotateError} for what the server answered; its message is cleaned of verifiers. */
export function serverError(server: string, code: string, message: string): RotateError {
  const { type, hint } = failureOf(code);
  return new RotateError(type, `${server}: ${withoutSecrets(message)} (SQLSTATE ${code})`, {
    ...(hint === undefined ? {} : { hint }),
    details: { sqlstate: code },
  });
}

/** Takes out what looks like a stored password; a server quotes parts of a statement in some messages. */
export function withoutSecrets(message: string): string {
  return message
    .replace(/SCRAM-SHA-256\$\S*/g, '[redacted]')
    .replace(/\bmd5[0-9a-f]{32}\b/g, '[redacted]')
    .replace(/\s+/g, ' ')
    .slice(0, 500);
}
