/** The table of proof: each row is a claim and what was measured. */
import type { Finding } from '../canary/places.js';
import type { Summary } from '../client/tally.js';
import type { ProofLine, RotationStatus } from '../../domain/status.js';

export interface ProofRow {
  claim: string;
  ok: boolean;
  evidence: string;
}

export interface Measured {
  /** Exit code of `rotate start`. */
  code: number;
  status: RotationStatus;
  summaries: Readonly<Record<string, Summary>>;
  findings: readonly Finding[];
  oldSessions: number;
  /** Hosts with a consumer. */
  consumers: readonly string[];
}

export function proofTable(measured: Measured): ProofRow[] {
  const { status, consumers } = measured;
  const proof = status.proof ?? [];
  const onEachHost = (claim: string, match: string): ProofRow => {
    const lines = proof.filter((p) => p.claim.includes(match));
    const missing = consumers.filter((h) => !lines.some((p) => p.host === h && p.result === 'passed'));
    return {
      claim,
      ok: missing.length === 0 && lines.every((p) => p.result === 'passed'),
      evidence:
        missing.length === 0
          ? `${consumers.join(', ')}: ${evidenceOf(lines)}`
          : `not shown for ${missing.join(', ')}`,
    };
  };
  const summaries = Object.values(measured.summaries);
  const logins = summaries.reduce((sum, s) => sum + s.logins, 0);
  const failed = summaries.reduce((sum, s) => sum + s.failed, 0);
  const gap = Math.max(0, ...summaries.map((s) => s.longestGapMs));
  return [
    {
      claim: 'the rotation ended as done',
      ok: measured.code === 0 && status.state === 'done',
      evidence: `${status.state}, exit code ${measured.code}`,
    },
    onEachHost('the new value logs in from each host', 'the new value logs in'),
    onEachHost('the old value was accepted just before it was disabled', 'accepted just before'),
    onEachHost('the old value is refused by the same probe once disabled', 'refused once disabled'),
    onEachHost('the old value is refused once destroyed', 'refused once destroyed'),
    onEachHost('the old value is still refused later', 'still refused later'),
    {
      claim: 'sessions of the old role',
      ok: measured.oldSessions === 0,
      evidence: String(measured.oldSessions),
    },
    {
      claim: 'failed logins of the independent clients',
      ok: failed === 0 && logins > 0,
      evidence: `${failed} of ${logins}; longest gap between two logins ${Math.round(gap)} ms`,
    },
    ...measured.findings.map((finding) => canaryRow(finding)),
    {
      claim: `places where a value was found`,
      ok: measured.findings.every((f) => f.proven && f.hits.length === 0),
      evidence: `${measured.findings.filter((f) => f.hits.length > 0).length} of ${measured.findings.length}, each search proven by a decoy: ${measured.findings.filter((f) => f.proven).length}`,
    },
  ];
}

function canaryRow(finding: Finding): ProofRow {
  const hits = finding.hits.map((hit) => `${hit.needle} as ${hit.form} in ${hit.where}`);
  return {
    claim: `no value in ${finding.place}`,
    ok: finding.proven && hits.length === 0,
    evidence: finding.proven
      ? hits.length === 0
        ? 'decoy found, values not'
        : hits.slice(0, 3).join('; ')
      : `not proven: ${finding.problem ?? 'the decoy was not found'}`,
  };
}

function evidenceOf(lines: readonly ProofLine[]): string {
  return [...new Set(lines.map((p) => p.evidence))].slice(0, 2).join('; ');
}
