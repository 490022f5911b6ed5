/** One probe, from one host, judged: the shape that baseline, verify and proof share. */
import type { CheckResult, Credential } from '../domain/credential.js';
import { RotateError, type FailureType } from '../domain/failure.js';
import { formatSecretRef, type ConfigSpec, type SecretSpec } from '../domain/spec.js';
import type { ProofLine } from '../domain/status.js';
import { kindContext, kindOf, proofLine } from './common.js';
import type { Services } from './ports.js';

export interface Expectation {
  expect: 'accepted' | 'refused';
  /** Codes that count as the right refusal; absent: any refusal. */
  codes?: readonly string[];
  /** Try a wrong value for the same account instead. */
  wrong?: boolean;
  claim: string;
  /** Type of the failure when it is the other way round. */
  otherwise: FailureType;
  hint?: string;
}

/**
 * One line an endpoint; a line that says `not-proven` where there is no way to try the value.
 * @throws RotateError of type `otherwise` when an endpoint answers the other way round; IssuerUnreachable when it
 *   does not answer, which proves nothing
 */
export async function checkFromHost(
  services: Services,
  config: ConfigSpec,
  secret: SecretSpec,
  credential: Credential,
  /** Absent: from the worker. */
  host: string | undefined,
  expectation: Expectation,
): Promise<ProofLine[]> {
  const kind = kindOf(services, secret);
  const context = kindContext(services, config, secret);
  const results =
    expectation.wrong === true
      ? await kind.checkWrong(context, secret.settings, credential, host)
      : await kind.check(context, secret.settings, credential, host);
  // Where hosts are the only ones that accept the value there is nothing to log in to.
  if (results.length === 0 && kind.kill !== 'deploy' && expectation.wrong !== true)
    return [
      proofLine({
        claim: expectation.claim,
        ...(host === undefined ? {} : { host }),
        result: 'not-proven',
        evidence: `${formatSecretRef(secret)} has no check`,
      }),
    ];
  return results.map((result) => judge(secret, host, result, expectation));
}

function judge(
  secret: SecretSpec,
  host: string | undefined,
  result: CheckResult,
  expectation: Expectation,
): ProofLine {
  const evidence = [result.code, result.message].filter((t) => t !== undefined).join(' ') || result.outcome;
  const where = `${formatSecretRef(secret)} at ${result.endpoint} from ${host ?? 'the worker'}`;
  if (result.outcome === 'unknown') {
    throw new RotateError(
      'IssuerUnreachable',
      `${where}: it cannot be told whether the value is accepted (${evidence})`,
      {
        ...(host === undefined ? {} : { host }),
        hint: `see whether ${result.endpoint} is up and answers ${host ?? 'the worker'} as it should`,
      },
    );
  }
  const rightCode =
    result.outcome !== 'refused' ||
    expectation.codes === undefined ||
    (result.code !== undefined && expectation.codes.includes(result.code));
  if (result.outcome !== expectation.expect || !rightCode) {
    throw new RotateError(
      expectation.otherwise,
      `${where}: ${result.outcome} (${evidence}), where ${expectation.expect}${expectation.codes === undefined ? '' : ` with ${expectation.codes.join(' or ')}`} is right`,
      {
        ...(host === undefined ? {} : { host }),
        ...(expectation.hint === undefined ? {} : { hint: expectation.hint }),
      },
    );
  }
  return proofLine({
    claim: expectation.claim,
    ...(host === undefined ? {} : { host }),
    endpoint: result.endpoint,
    result: 'passed',
    evidence,
  });
}
