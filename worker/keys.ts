/**
 * The keys of `rotate dev`: its own age identity and codec key, made once and never
 * overwritten, as values in flight can be opened with nothing else.
 */
import { chmod, link, mkdir, open, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

import { generateIdentity, identityToRecipient } from 'age-encryption';

import { devState, type DevState } from '../client/dev-state.js';
import { generateCodecKey } from '../codec/keyring.js';
import { exists } from './exists.js';

/**
 * Makes the folder (0700), the identity and the codec key (0600) of the repo at `repo`, where absent. Safe to call
 * twice and at the same time.
 */
export async function ensureDevKeys(repo: string, env: NodeJS.ProcessEnv = process.env): Promise<DevState> {
  const state = devState(repo, env);
  await mkdir(state.folder, { recursive: true, mode: 0o700 });
  await chmod(state.folder, 0o700);
  await createOnce(state.identityFile, async () => {
    const identity = await generateIdentity();
    return `# public key: ${await identityToRecipient(identity)}\n${identity}\n`;
  });
  await createOnce(state.codecKeyFile, async () => `${generateCodecKey()}\n`);
  return state;
}

/** Writes `path` whole or not at all, and never over a file that is there. */
async function createOnce(path: string, content: () => Promise<string>): Promise<void> {
  if (await exists(path)) return;
  const temporary = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(await content());
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    // Unlike rename, link fails where another process was first.
    await link(temporary, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    await rm(temporary);
  }
  const folder = await open(dirname(path), 'r');
  await folder.sync();
  await folder.close();
}

/** Tells the command line where the embedded server is. */
export async function writeTemporalConfig(
  state: DevState,
  server: { address: string; namespace: string },
): Promise<void> {
  const lines = [
    '[profile.default]',
    `address = "${server.address}"`,
    `namespace = "${server.namespace}"`,
    '',
  ];
  await writeFile(state.temporalConfig, lines.join('\n'), { mode: 0o600 });
}

/** To be called when the embedded server has ended, so that the command line does not look for it. */
export async function removeTemporalConfig(state: DevState): Promise<void> {
  await rm(state.temporalConfig, { force: true });
}
