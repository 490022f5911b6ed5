/** The worker's side of `rotate doctor`: every precondition, each host and each issuer. */
import type { DoctorFinding, DoctorReport } from '../domain/doctor.js';
import { asRotateError } from '../domain/failure.js';
import { formatSecretRef, type HostSpec, type SecretSpec } from '../domain/spec.js';
import { beating, credentialAt, kindContext, kindOf } from './common.js';
import type { Pulse, Services, Snapshot } from './ports.js';

export async function examine(
  services: Services,
  input: { environment?: string; hosts?: string[] },
): Promise<DoctorReport> {
  return beating(async (pulse) => {
    const findings: DoctorFinding[] = [...(await services.examineWorker())];
    const snapshot = await look(findings, 'repo', 'fetch and read rotate.yaml', async () => {
      await services.repo.fetch(pulse.signal);
      const tip = await services.repo.tip(await services.repo.mainBranch());
      if (tip === undefined) throw new Error('the main branch is not there');
      return services.repo.at(tip, pulse.signal);
    });
    if (snapshot === undefined) return { findings };
    const wanted = (name: string): boolean => input.hosts === undefined || input.hosts.includes(name);
    const inside = (environment: string): boolean =>
      input.environment === undefined || input.environment === environment;
    await Promise.all(
      snapshot.config.hosts
        .filter((h) => wanted(h.name) && inside(h.environment))
        .map((host) => examineHost(services, snapshot, host, findings, pulse)),
    );
    for (const secret of snapshot.config.secrets.filter((s) => inside(s.environment))) {
      await examineSecret(services, snapshot, secret, findings);
    }
    return { findings };
  });
}

async function examineHost(
  services: Services,
  snapshot: Snapshot,
  host: HostSpec,
  findings: DoctorFinding[],
  pulse: Pulse,
): Promise<void> {
  const subject = `host ${host.name}`;
  const facts = await look(findings, subject, 'ssh', () => services.fleet.facts(host, pulse.signal));
  if (facts === undefined) return;
  if (facts.running !== facts.profile) {
    findings.push({
      subject,
      check: 'profile',
      result: 'warning',
      message: `it runs ${facts.running}, and would boot ${facts.profile}`,
      hint: 'deploy it before a rotation',
    });
  }
  const evaluation = await look(findings, subject, 'configuration', () =>
    services.fleet.evaluate(host, snapshot, pulse),
  );
  if (evaluation === undefined) return;
  for (const secret of snapshot.config.secrets) {
    if (!evaluation.secrets.some((s) => s.file === secret.file)) continue;
    await look(findings, subject, `opens ${formatSecretRef(secret)}`, async () =>
      services.fleet.tryOpen(host, evaluation, await snapshot.ciphertext(secret), pulse.signal),
    );
  }
}

async function examineSecret(
  services: Services,
  snapshot: Snapshot,
  secret: SecretSpec,
  findings: DoctorFinding[],
): Promise<void> {
  const subject = `secret ${formatSecretRef(secret)}`;
  const current = await look(findings, subject, 'the worker opens it', () =>
    credentialAt(services, snapshot, secret),
  );
  await look(findings, subject, 'rules', () => snapshot.recipients(secret));
  if (current === undefined) return;
  const state = await look(findings, subject, 'issuer', () =>
    kindOf(services, secret).inspect(
      kindContext(services, snapshot.config, secret),
      secret.settings,
      current,
    ),
  );
  for (const [fact, value] of Object.entries(state?.facts ?? {})) {
    findings.push({ subject, check: fact, result: 'ok', message: value });
  }
  for (const problem of state?.problems ?? []) {
    findings.push({ subject, check: 'issuer', result: 'failed', ...problem });
  }
}

/** Runs a check and writes down how it went; undefined when it failed. */
async function look<T>(
  findings: DoctorFinding[],
  subject: string,
  check: string,
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    const result = await work();
    findings.push({ subject, check, result: 'ok', message: 'ok' });
    return result;
  } catch (error) {
    const known = asRotateError(error)?.toReason();
    findings.push({
      subject,
      check,
      result: 'failed',
      message: known?.message ?? (error instanceof Error ? error.message : String(error)),
      ...(known?.hint === undefined ? {} : { hint: known.hint }),
    });
    return undefined;
  }
}
