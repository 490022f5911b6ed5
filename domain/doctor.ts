/** What `rotate doctor` shows. */

export interface DoctorFinding {
  /** e.g. `host web-1`. */
  subject: string;
  /** e.g. `ssh`. */
  check: string;
  result: 'ok' | 'warning' | 'failed';
  message: string;
  hint?: string;
}

export interface DoctorReport {
  findings: DoctorFinding[];
}
