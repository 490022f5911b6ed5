/** The checks of `rotate doctor`: those that can be made here, then the worker's. */
import type { Session } from '../client/session.js';
import type { DoctorFinding } from '../domain/doctor.js';
import { RotateError } from '../domain/failure.js';
import type { ConfigSpec } from '../domain/spec.js';
import type { Invocation } from './command.js';
import { interruptedBy } from './interrupted.js';
import type { Workspace } from './workspace.js';

/** @throws RotateError Interrupted; UnknownHost for a host that rotate.yaml does not declare */
export async function examine(invocation: Invocation): Promise<DoctorFinding[]> {
  const findings: DoctorFinding[] = [];
  const workspace = await check(findings, invocation, 'rotate.yaml', 'found', async () => {
    const { requireWorkspace } = await import('./workspace.js');
    const found = requireWorkspace(invocation.context, invocation.options);
    return { value: found, message: found.name };
  });
  const config = workspace === undefined ? undefined : await examineConfig(findings, invocation, workspace);
  await checkHosts(invocation, config);
  if (workspace !== undefined) await examineRepo(findings, invocation, workspace);
  await examineWorker(findings, invocation);
  return findings;
}

interface Passed<T> {
  value: T;
  message: string;
}

/** Runs one check; a RotateError of it is a finding, with its hint. */
async function check<T>(
  findings: DoctorFinding[],
  { context }: Pick<Invocation, 'context'>,
  subject: string,
  name: string,
  work: () => Promise<Passed<T>>,
): Promise<T | undefined> {
  try {
    const { value, message } = await work();
    findings.push({ subject, check: name, result: 'ok', message });
    return value;
  } catch (error) {
    findings.push(failedFinding({ context }, subject, name, error));
    return undefined;
  }
}

/** @throws what is no finding: Ctrl-C, and errors that nobody expected */
function failedFinding(
  { context }: Pick<Invocation, 'context'>,
  subject: string,
  name: string,
  error: unknown,
): DoctorFinding {
  if (context.signal.aborted) throw interruptedBy(error);
  if (!(error instanceof RotateError)) throw error;
  const { message, hint } = error.toReason();
  return { subject, check: name, result: 'failed', message, ...(hint === undefined ? {} : { hint }) };
}

async function examineConfig(
  findings: DoctorFinding[],
  invocation: Invocation,
  workspace: Workspace,
): Promise<ConfigSpec | undefined> {
  const { readRotateYaml } = await import('../config/rotate-yaml.js');
  const { readText } = await import('../config/read-text.js');
  const { badConfig, formatProblem } = await import('../config/problem.js');
  return check(findings, invocation, 'rotate.yaml', 'valid', async () => {
    const read = readRotateYaml(await readText(workspace.file, workspace.name), workspace.name);
    if (read.problems.length > 0) throw badConfig(workspace.name, read.problems);
    for (const warning of read.warnings)
      findings.push({
        subject: 'rotate.yaml',
        check: 'sensible',
        result: 'warning',
        message: formatProblem(workspace.name, warning),
        ...(warning.hint === undefined ? {} : { hint: warning.hint }),
      });
    const { secrets, hosts } = read.config;
    return { value: read.config, message: `secrets: ${secrets.length}, hosts: ${hosts.length}` };
  });
}

async function checkHosts({ args }: Invocation, config: ConfigSpec | undefined): Promise<void> {
  if (config === undefined) return;
  const { resolveHost } = await import('../config/resolve-names.js');
  for (const name of args) resolveHost(config, name);
}

async function examineRepo(
  findings: DoctorFinding[],
  invocation: Invocation,
  workspace: Workspace,
): Promise<void> {
  await check(findings, invocation, 'repo', 'git', async () => {
    const [{ discover }, { redactUrls }] = await Promise.all([
      import('../repo/discover.js'),
      import('../repo/redact.js'),
    ]);
    const checkout = await discover(workspace.root);
    if (checkout.remoteUrl === undefined)
      throw new RotateError('BadConfig', `${checkout.root} has no remote, and the worker works on a remote`, {
        hint: 'push it to where the worker can clone it from: `git remote add origin URL`, then `git push -u origin HEAD`',
      });
    return { value: checkout, message: `${checkout.root}, remote ${redactUrls(checkout.remoteUrl)}` };
  });
}

async function examineWorker(findings: DoctorFinding[], invocation: Invocation): Promise<void> {
  const { sessionOptions, withSession } = await import('./open-session.js');
  const keys = await check(findings, invocation, 'codec key', 'readable', async () => {
    const { codecKeyId } = await import('../client/open.js');
    const { keyFiles } = await sessionOptions(invocation);
    const id = await codecKeyId(keyFiles);
    return { value: id, message: `${keyFiles.join(', ')} (id ${id})` };
  });
  // Without a key nothing can be said to Temporal.
  if (keys === undefined) return;
  try {
    await withSession(invocation, async (session) => {
      const { address, namespace } = session.connection.endpoint;
      const message = `${address}, namespace ${namespace}`;
      findings.push({ subject: 'Temporal', check: 'reachable', result: 'ok', message });
      await examineFleet(findings, invocation, session);
    });
  } catch (error) {
    findings.push(failedFinding(invocation, 'Temporal', 'reachable', error));
  }
}

/** Never throws but for what is no finding: everything up to here was reached. */
async function examineFleet(
  findings: DoctorFinding[],
  invocation: Invocation,
  session: Session,
): Promise<void> {
  const [{ requireListening }, { requestReport }] = await Promise.all([
    import('../client/listening.js'),
    import('../client/inspect.js'),
  ]);
  const listening = await check(findings, invocation, 'worker', 'listening', async () => {
    await requireListening(session);
    return { value: true, message: 'it answers' };
  });
  if (listening === undefined) return;
  const environment = invocation.options.text('env');
  try {
    const report = await requestReport(session, {
      ...(environment === undefined ? {} : { environment }),
      ...(invocation.args.length === 0 ? {} : { hosts: [...invocation.args] }),
    });
    findings.push(...report.findings);
  } catch (error) {
    findings.push(failedFinding(invocation, 'worker', 'report', error));
  }
}
