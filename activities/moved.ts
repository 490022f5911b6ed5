/**
 * The undo on a host that someone else has deployed to meanwhile: his work stays,
 * and only this rotation's value is taken back.
 */
import { RotateError } from '../domain/failure.js';
import type { Fence } from '../domain/fence.js';
import { formatSecretRef } from '../domain/spec.js';
import type { HostScope, SealedSecret } from './api.js';
import { baseOf, hostOf, secretOf, unitsOn } from './common.js';
import { contentsWith, digestOf, encryptContents, type Contents } from './contents.js';
import type { Pulse, Services, Snapshot } from './ports.js';

/** How far back on main the system that runs is looked for. */
const searchedCommits = 8;

/**
 * Makes the host's present system, whoever deployed it, one with the old value: left as it is when it has that
 * already; else the commit that it is the build of, with only the old value put into it.
 * @returns `commit`: installed is what it has with the old value in it
 * @throws RotateError HostMoved when it is the build of no recent commit of main; RepoChanged when it has another
 *   value than the rotation's
 */
export async function restoreMoved(
  services: Services,
  scope: HostScope,
  secrets: readonly SealedSecret[],
  fence: Fence,
  p: Pulse,
): Promise<{ installedAtUs: number; newlyFailed: string[]; commit: string }> {
  const base = await baseOf(services, scope);
  const host = hostOf(base.config, scope.host);
  const { running } = await services.fleet.facts(host, p.signal);
  const { to, commit } = await systemWithOld(services, scope, secrets, base, running, p);
  const switched = await services.fleet.converge(
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
  return { ...switched, commit };
}

/** What is to run there, with the old value in what `commit` has. What runs already may do, whoever put the value back. */
async function systemWithOld(
  services: Services,
  scope: HostScope,
  secrets: readonly SealedSecret[],
  base: Snapshot,
  running: string,
  p: Pulse,
): Promise<{ to: string; commit: string }> {
  const installed = await installedOn(services, scope, base, p);
  // The remote, which may be away, is asked last.
  if (await holdsOld(services, scope, secrets, installed, base)) return { to: running, commit: base.commit };
  const recent = await recentCommits(services, p);
  for (const commit of recent)
    if (await holdsOld(services, scope, secrets, installed, await services.repo.at(commit, p.signal)))
      return { to: running, commit };
  return buildWithOld(services, scope, secrets, base, recent, running, p);
}

/** The tip of main and what it came from. */
async function recentCommits(services: Services, p: Pulse): Promise<string[]> {
  await services.repo.fetch(p.signal);
  const tip = await services.repo.tip(await services.repo.mainBranch());
  return tip === undefined ? [] : [tip, ...(await services.repo.ancestors(tip, searchedCommits))];
}

/** SHA-256 in hex of what is installed of a file. */
interface Installed {
  file: string;
  sha256: string;
}

async function installedOn(
  services: Services,
  scope: HostScope,
  base: Snapshot,
  p: Pulse,
): Promise<Installed[]> {
  const host = hostOf(base.config, scope.host);
  const files = scope.secrets.map((name) => secretOf(base.config, scope.environment, name).file);
  const installed: Installed[] = [];
  for (const { file, path } of (await services.fleet.evaluate(host, base, p)).secrets)
    if (files.includes(file))
      installed.push({ file, sha256: (await services.fleet.inspectFile(host, path, p.signal)).sha256 });
  return installed;
}

/** Whether the files of a commit, with the old value in them, are just what is installed. */
async function holdsOld(
  services: Services,
  scope: HostScope,
  secrets: readonly SealedSecret[],
  installed: readonly Installed[],
  there: Snapshot,
): Promise<boolean> {
  const contents = await oldAt(services, there, scope, secrets);
  if (contents === undefined) return false;
  const digests = new Map([...contents].map(([file, { content }]) => [file, digestOf(content)]));
  return installed.every(({ file, sha256 }) => digests.get(file) === sha256);
}

/** Undefined: a commit whose files are others, or hold a value of someone else, which nobody has to hear of here. */
async function oldAt(
  services: Services,
  there: Snapshot,
  scope: HostScope,
  secrets: readonly SealedSecret[],
): Promise<Contents | undefined> {
  try {
    return await contentsWith(services, there, scope, secrets, 'old');
  } catch (error) {
    if (!(error instanceof RotateError) || error.retryable) throw error;
    return undefined;
  }
}

async function buildWithOld(
  services: Services,
  scope: HostScope,
  secrets: readonly SealedSecret[],
  base: Snapshot,
  candidates: readonly string[],
  running: string,
  p: Pulse,
): Promise<{ to: string; commit: string }> {
  const host = hostOf(base.config, scope.host);
  for (const commit of candidates) {
    const there = await services.repo.at(commit, p.signal);
    if ((await services.fleet.build(host, there, p)) !== running) continue;
    const contents = await contentsWith(services, there, scope, secrets, 'old');
    if (await isIn(there, contents)) return { to: running, commit };
    const files = await withOld(there, contents, base);
    const mended = await services.repo.commitTrial(commit, files, p.signal);
    const toplevel = await services.fleet.build(host, await services.repo.at(mended, p.signal), p);
    await services.fleet.copy(host, toplevel, p);
    return { to: toplevel, commit };
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

/** Whether the files of a commit have just these contents. */
async function isIn(there: Snapshot, contents: Contents): Promise<boolean> {
  for (const { secret, content } of contents.values())
    if (!(await there.read(secret)).equals(content)) return false;
  return true;
}

/**
 * The very blobs that main gets back where nobody has changed the files, so that the host is the build of what main
 * will be; else what others wrote, with the old value in it.
 */
async function withOld(
  there: Snapshot,
  contents: Contents,
  base: Snapshot,
): Promise<Record<string, Uint8Array>> {
  const files = await encryptContents(there, contents);
  for (const [file, { secret, content }] of contents) {
    const before = base.config.secrets.find(
      (s) => s.environment === secret.environment && s.name === secret.name,
    );
    if (before?.file !== file || !(await base.read(before)).equals(content)) continue;
    const [then, now] = [await base.recipients(before), await there.recipients(secret)];
    if (JSON.stringify(then) === JSON.stringify(now)) files[file] = await base.ciphertext(before);
  }
  return files;
}
