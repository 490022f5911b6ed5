/** Ids of workflows and names in them. Names are percent-encoded, so that none can look like another's path. */

/** Percent-encodes all but letters, digits, `.`, `_` and `-`; the result is never empty, `.` or `..`. */
export function encodeName(name: string): string {
  const encoded = [...new TextEncoder().encode(name)]
    .map((byte) => {
      const char = String.fromCharCode(byte);
      return /[A-Za-z0-9._-]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
  return encoded === '.' || encoded === '..' ? encoded.replaceAll('.', '%2E') : encoded;
}

/** The inverse of {@link encodeName}; undefined for a name of somebody else's, such as `100%`. */
export function decodeName(encoded: string | undefined): string | undefined {
  try {
    return encoded === undefined ? undefined : decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}

export function rotationId(environment: string, ulid: string): string {
  return `rotation/${encodeName(environment)}/${ulid}`;
}

/** The ULID of a rotation's workflow id; undefined for other workflows. */
export function ulidOf(workflowId: string): string | undefined {
  return /^rotation\/[^/]+\/([0-9A-HJKMNP-TV-Z]{26})$/.exec(workflowId)?.[1];
}

/** The id is the lock. */
export function claimId(environment: string, secret: string): string {
  return `rotate/${encodeName(environment)}/${encodeName(secret)}`;
}

/** The lock of a file that holds several secrets. */
export function fileClaimId(environment: string, path: string): string {
  return `rotate/${encodeName(environment)}/file/${encodeName(path)}`;
}

/** Of a Schedule of Temporal, and (with a time behind it) of each of its looks. */
export function dueScheduleId(environment: string, schedule: string): string {
  return `due/${encodeName(environment)}/${encodeName(schedule)}`;
}

/** The inverse of {@link dueScheduleId}; undefined for other schedules. */
export function scheduleOf(scheduleId: string): { environment: string; name: string } | undefined {
  const [environment, name] = (/^due\/([^/]+)\/([^/]+)$/.exec(scheduleId) ?? []).slice(1).map(decodeName);
  return environment === undefined || name === undefined ? undefined : { environment, name };
}

/** Of the Schedule that looks daily how old secrets are. */
export function agesScheduleId(environment: string): string {
  return `ages/${encodeName(environment)}`;
}

/** The inverse of {@link agesScheduleId}; undefined for other schedules. */
export function environmentOfAges(scheduleId: string): string | undefined {
  return decodeName(/^ages\/([^/]+)$/.exec(scheduleId)?.[1]);
}

export function sequenceId(environment: string, ulid: string): string {
  return `sequence/${encodeName(environment)}/${ulid}`;
}

/** @param id the notification's, which is told once */
export function notifyId(id: string): string {
  return `notify/${encodeName(id)}`;
}

/** The branch that carries a rotation's commit. */
export function rotationBranch(ulid: string): string {
  return `rotate/${ulid}`;
}
