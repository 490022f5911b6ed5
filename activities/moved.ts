/**
 * The undo on a host that someone else has deployed to meanwhile: his work stays,
 * and only this rotation's value is taken back.
 */
import { createHash } from 'node:crypto';
import { RotateError } from '../domain/failure.js';
import type { Fence } from '../domain/fence.js';
import { formatSecretRef, type HostSpec } from '../domain/spec.js';
import type { HostScope } from './api.js';
import { baseOf, hostOf, secretOf, unitsOn } from './common.js';
import type { Pulse, Services, Snapshot } from './ports.js';

/** How far back on main the system that runs is looked for. */
const searchedCommits = 8;

/**
 * Makes the host's present system, whoever deployed it, one with the old value: left as it is when it has that
 * already; else the commit that it is the build of, with only the old value put into it.
 * @throws RotateError HostMoved when it is the build of no recent commit of main
 */
export async function restoreMoved(
  services: Services,
  scope: HostScope,
  fence: Fence,
  p: Pulse,
): Promise<{ installedAtUs: number; newlyFailed: string[] }> {
  const base = await baseOf(services, scope);
  const host = hostOf(base.config, scope.host);
  const { running } = await services.fleet.facts(host, p.signal);
  const to = (await holdsOld(services, scope, base, host, p))
    ? running
    : await buildWithOld(services, scope, base, host, running, p);
  return services.fleet.converge(
    host,
    {
      id: `${scope.id}-${fence.seq}-moved`,
      rotation: scope.id,
      from: [running],
      to,
      secrets: scope.secrets.map((name) => formatSecretRef({ environment: scope.environment, name })),
      fence,
      deadManMs: 0,
      onFailure: 'keep',
      tolerate: unitsOn(base.config, scope, scope.host).map((u) => u.unit),
    },
    p,
  );
}

/** Whether all that is installed there has the content of the base. */
async function holdsOld(
  services: Services,
  scope: HostScope,
  base: Snapshot,
  host: HostSpec,
  p: Pulse,
): Promise<boolean> {
  const evaluation = await services.fleet.evaluate(host, base, p);
  for (const name of scope.secrets) {
    const secret = secretOf(base.config, scope.environment, name);
    const content = (await base.read(secret)).bytes();
    const expected = createHash('sha256').update(content).digest('hex');
    content.fill(0);
    for (const { path } of evaluation.secrets.filter((s) => s.file === secret.file)) {
      if ((await services.fleet.inspectFile(host, path, p.signal)).sha256 !== expected) return false;
    }
  }
  return true;
}

async function buildWithOld(
  services: Services,
  scope: HostScope,
  base: Snapshot,
  host: HostSpec,
  running: string,
  p: Pulse,
): Promise<string> {
  await services.repo.fetch(p.signal);
  const tip = await services.repo.tip(await services.repo.mainBranch());
  const candidates = tip === undefined ? [] : [tip, ...(await services.repo.ancestors(tip, searchedCommits))];
  for (const commit of candidates) {
    const there = await services.repo.at(commit, p.signal);
    if ((await services.fleet.build(host, there, p)) !== running) continue;
    const files: Record<string, Uint8Array> = {};
    for (const name of scope.secrets) {
      const secret = secretOf(base.config, scope.environment, name);
      // The very blob that main gets back, so that the host is the build of what main will be.
      files[secret.file] = await base.ciphertext(secret);
    }
    const mended = await services.repo.commitTrial(commit, files, p.signal);
    const toplevel = await services.fleet.build(host, await services.repo.at(mended, p.signal), p);
    await services.fleet.copy(host, toplevel, p);
    return toplevel;
  }
  throw new RotateError(
    'HostMoved',
    `${host.name} runs ${running}, which is the build of no recent commit of main, with the new value in it`,
    {
      host: host.name,
      hint: `deploy ${host.name} with the old value by hand, then \`rotate retry ${scope.id}\``,
    },
  );
}
