/** Verify: on one host, the file, its consumers, the login and the user's own probes. */
import { RotateError } from '../domain/failure.js';
import type { InstalledFile } from '../domain/journal.js';
import { formatSecretRef, type ConfigSpec, type HostSpec } from '../domain/spec.js';
import type { ProofLine } from '../domain/status.js';
import type { HostScope, RotationActivities, SealedSecret } from './api.js';
import { checkFromHost } from './check.js';
import {
  baseOf,
  beating,
  consumesOn,
  credentialAt,
  hostOf,
  inParallel,
  loginsAtOnce,
  proofLine,
  secretOf,
  unitsOn,
} from './common.js';
import { contentsWith, digestOf } from './contents.js';
import type { InstalledState, Pulse, Services, Snapshot } from './ports.js';
import { openCredential } from './sealed.js';

export function verifyActivities(services: Services): Pick<RotationActivities, 'verify' | 'proveGone'> {
  return {
    proveGone: ({ scope, files, commit, secrets, purpose }) =>
      beating(async (p) => {
        const { config } = await baseOf(services, scope);
        const host = hostOf(config, scope.host);
        const there = await services.repo.at(commit, p.signal);
        for (const sealed of secrets) await refuseOldIn(services, there, scope, sealed);
        const right = await rightContent(services, scope, commit, [], p);
        for (const file of files) await verifyFile(services, host, file, right, p);
        await verifyConsumers(services, scope, host, config, 0, p);
        const units = unitsOn(config, scope, scope.host).map((u) => u.unit);
        const runs = units.length === 0 ? '' : `; ${units.join(', ')} run with it`;
        return {
          proof: [
            proofLine({
              claim: `the old value is ${purpose === 'later' ? 'still gone later' : 'gone'}`,
              host: host.name,
              result: 'passed',
              evidence: `${files.map((f) => f.path).join(', ')} has the new content without it${runs}`,
            }),
          ],
        };
      }),

    verify: ({ scope, files, commit, secrets, value, justSwitched }) =>
      beating(async (p) => {
        const { config } = await baseOf(services, scope);
        const host = hostOf(config, scope.host);
        const right = await rightContent(services, scope, commit, value === 'old' ? secrets : [], p);
        const proof: ProofLine[] = [];
        let installedAtUs = 0;
        for (const file of files) {
          const state = await verifyFile(services, host, file, right, p);
          installedAtUs = Math.max(installedAtUs, state.installedAtUs);
          proof.push(
            proofLine({
              claim: `the ${value === 'fresh' ? 'new' : 'old'} value is installed`,
              host: host.name,
              result: 'passed',
              evidence: `${file.path} ${state.owners[0]}:${state.groups[0]} ${state.mode}, outside the store`,
            }),
          );
        }
        await verifyConsumers(services, scope, host, config, justSwitched ? installedAtUs : 0, p);
        proof.push(...(await verifyLogins(services, scope, config, secrets, value)));
        proof.push(...(await runProbes(services, scope, host, config, p)));
        return { proof };
      }),
  };
}

/**
 * The value itself is looked at, not the bytes of the file: another value there may be the same, or have it in it.
 * @throws RotateError NotDead when the secret still has the old value at a commit, alone or in a list
 */
async function refuseOldIn(
  services: Services,
  there: Snapshot,
  scope: HostScope,
  sealed: SealedSecret,
): Promise<void> {
  const secret = secretOf(there.config, scope.environment, sealed.name);
  const old = (await openCredential(services, sealed.old)).value;
  const { value, previous = [] } = await credentialAt(services, there, secret);
  const found = [value, ...previous].some((each) => each.equals(old));
  for (const each of [old, value, ...previous]) each.wipe();
  if (found)
    throw new RotateError(
      'NotDead',
      `${formatSecretRef(secret)}: ${secret.file} at ${there.commit.slice(0, 12)} still holds the old value`,
      { hint: 'see who wrote it there, and take it out' },
    );
}

/** What is to be installed. */
interface Right {
  commit: string;
  /** SHA-256 in hex of the file of a secret. */
  digests: ReadonlyMap<string, string>;
}

/** @param old of which the old value is the right one; at another commit than the base it is put into what others wrote */
async function rightContent(
  services: Services,
  scope: HostScope,
  commit: string,
  old: readonly SealedSecret[],
  p: Pulse,
): Promise<Right> {
  const there = await services.repo.at(commit, p.signal);
  const mended = commit === scope.base ? undefined : await contentsWith(services, there, scope, old, 'old');
  const digests = new Map<string, string>();
  for (const name of scope.secrets) {
    const secret = secretOf(there.config, scope.environment, name);
    digests.set(name, digestOf(mended?.get(secret.file)?.content ?? (await there.read(secret))));
  }
  return { commit, digests };
}

async function verifyFile(
  services: Services,
  host: HostSpec,
  file: InstalledFile,
  right: Right,
  p: Pulse,
): Promise<InstalledState> {
  const state = await services.fleet.inspectFile(host, file.path, p.signal);
  const wrong: string[] = [];
  if (state.inStore) wrong.push('it lies in the Nix store, where everyone can read it');
  if (state.sha256 !== right.digests.get(file.secret))
    wrong.push(`its content is not that of ${right.commit.slice(0, 12)}`);
  if (!state.owners.includes(file.owner)) wrong.push(`its owner is ${state.owners[0]}, not ${file.owner}`);
  if (!state.groups.includes(file.group)) wrong.push(`its group is ${state.groups[0]}, not ${file.group}`);
  if (modeBits(state.mode) !== modeBits(file.mode)) wrong.push(`its mode is ${state.mode}, not ${file.mode}`);
  if (wrong.length > 0) {
    throw new RotateError('VerifyFailed', `${host.name}: ${file.path}: ${wrong.join('; ')}`, {
      host: host.name,
      hint: `see who else changes ${file.path}, and what \`age.secrets\` says of it; then deploy ${host.name}`,
    });
  }
  return state;
}

/** `0400`, `400` and `00400` are the same. */
function modeBits(mode: string): number {
  return Number.parseInt(mode, 8);
}

/**
 * Consumers run, and began to after the file was installed. Later on any deploy installs the same content anew, so
 * that the order tells nothing.
 */
async function verifyConsumers(
  services: Services,
  scope: HostScope,
  host: HostSpec,
  config: ConfigSpec,
  installedAtUs: number,
  p: Pulse,
): Promise<void> {
  const planned = unitsOn(config, scope, scope.host);
  if (planned.length === 0) return;
  const states = await services.fleet.units(
    host,
    planned.map((u) => u.unit),
    p.signal,
  );
  for (const { unit, ok, state, startedAtUs } of states) {
    if (!ok) {
      throw new RotateError('VerifyFailed', `${host.name}: ${unit} is ${state}`, {
        host: host.name,
        hint: `\`journalctl -u ${unit}\` on ${host.name} tells why`,
      });
    }
    const action = planned.find((u) => u.unit === unit)?.action;
    // A reload leaves the start as it was; `none` means that the unit reads the file by itself.
    if (action === 'restart' && startedAtUs < installedAtUs) {
      throw new RotateError(
        'VerifyFailed',
        `${host.name}: ${unit} has not started again since the file was installed`,
        {
          host: host.name,
          hint: `see \`journalctl -u ${unit}\` on ${host.name}; set its \`action\` to none where it reads the file anew by itself`,
        },
      );
    }
  }
}

async function verifyLogins(
  services: Services,
  scope: HostScope,
  config: ConfigSpec,
  secrets: readonly SealedSecret[],
  value: 'old' | 'fresh',
): Promise<ProofLine[]> {
  const lines = await inParallel(loginsAtOnce, secrets, async (sealed) => {
    const secret = secretOf(config, scope.environment, sealed.name);
    if (!consumesOn(secret, scope.host)) return [];
    const text = value === 'old' ? sealed.old : sealed.fresh;
    if (text === undefined)
      throw new RotateError('Internal', `there is no new value of ${formatSecretRef(secret)}`);
    const credential = await openCredential(services, text);
    return checkFromHost(services, config, secret, credential, scope.host, {
      expect: 'accepted',
      claim: `the ${value === 'fresh' ? 'new' : 'old'} value logs in`,
      otherwise: value === 'fresh' ? 'NewValueRejected' : 'OldValueRejected',
      hint: `see the log of the issuer, and whether it lets ${scope.host} in`,
    });
  });
  return lines.flat();
}

async function runProbes(
  services: Services,
  scope: HostScope,
  host: HostSpec,
  config: ConfigSpec,
  p: Pulse,
): Promise<ProofLine[]> {
  const proof: ProofLine[] = [];
  for (const name of scope.secrets) {
    const secret = secretOf(config, scope.environment, name);
    if (!consumesOn(secret, scope.host)) continue;
    for (const probe of secret.probes) {
      const evidence = await services.fleet.probe(host, probe, p.signal);
      proof.push(proofLine({ claim: 'the probe passes', host: host.name, result: 'passed', evidence }));
    }
  }
  return proof;
}
