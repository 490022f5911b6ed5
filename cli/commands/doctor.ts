/** `rotate doctor`: every precondition, with what to do where one fails. */
import type { DoctorFinding } from '../../domain/doctor.js';
import type { CommandSpec, Invocation } from '../command.js';
import { exitCodes, type ExitCode } from '../exit-codes.js';

export const doctorCommand: CommandSpec = {
  name: 'doctor',
  summary: 'check everything that a rotation needs',
  description:
    'Checks the configuration, the repo, Temporal and the worker from here, and hosts, issuers and keys from the worker. Changes nothing; exits with 1 when something fails.',
  arguments: [
    { name: 'hosts', description: 'only these hosts', optional: true, variadic: true, completes: 'host' },
  ],
  options: [],
  examples: [
    { command: 'rotate doctor', does: 'everything' },
    { command: 'rotate doctor web-1', does: 'one host' },
  ],
  run,
};

async function run(invocation: Invocation): Promise<ExitCode> {
  const { screen } = invocation;
  const { examine } = await import('../examine.js');
  const findings = await examine(invocation);
  if (screen.json) screen.object({ findings });
  else {
    const { findingsText } = await import('../render/findings.js');
    screen.data(findingsText(findings, screen.columns, screen.paint));
  }
  return findings.some(failed) ? exitCodes.refused : exitCodes.done;
}

function failed(finding: DoctorFinding): boolean {
  return finding.result === 'failed';
}
