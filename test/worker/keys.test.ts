import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { codecKeyFiles } from '../../client/dev-state.js';
import { resolveEndpoint } from '../../client/endpoint.js';
import { loadCodecKeys } from '../../codec/keyring.js';
import { loadSealer } from '../../codec/seal.js';
import { ensureDevKeys, removeTemporalConfig, writeTemporalConfig } from '../../worker/keys.js';

let folder: string;
let repo: string;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rotate-devkeys-'));
  repo = join(folder, 'infra');
  env = { XDG_STATE_HOME: join(folder, 'state'), HOME: folder };
  await mkdir(repo);
});
afterAll(() => rm(folder, { recursive: true }));

describe('rotate dev', () => {
  test('makes keys that work, for its owner only', async () => {
    const state = await ensureDevKeys(repo, env);
    expect((await loadCodecKeys([state.codecKeyFile])).ids).toHaveLength(1);
    const sealer = await loadSealer([state.identityFile]);
    expect(Buffer.from(await sealer.open(await sealer.seal(Buffer.from('v')))).toString()).toBe('v');
    expect((await stat(state.folder)).mode & 0o777).toBe(0o700);
    expect((await stat(state.identityFile)).mode & 0o777).toBe(0o600);
    expect((await stat(state.codecKeyFile)).mode & 0o777).toBe(0o600);
  });

  test('never overwrites them, also when it is begun several times at once', async () => {
    const other = join(folder, 'twice');
    await mkdir(other);
    const states = await Promise.all(Array.from({ length: 8 }, () => ensureDevKeys(other, env)));
    const [state] = states;
    if (state === undefined) throw new Error('no state');
    const before = await readFile(state.identityFile, 'utf8');
    await ensureDevKeys(other, env);
    expect(await readFile(state.identityFile, 'utf8')).toBe(before);
    expect((await readdir(state.folder)).toSorted()).toEqual(['codec.key', 'identity.txt']);
  });

  test('keeps two clones of the same name apart', async () => {
    const other = join(folder, 'other', 'infra');
    await mkdir(other, { recursive: true });
    expect((await ensureDevKeys(other, env)).folder).not.toBe((await ensureDevKeys(repo, env)).folder);
  });

  test('is found by the command line, unless something else is named', async () => {
    const state = await ensureDevKeys(repo, env);
    await writeTemporalConfig(state, { address: '127.0.0.1:7999', namespace: 'default' });
    expect(await resolveEndpoint({ env, devConfig: state.temporalConfig })).toMatchObject({
      address: '127.0.0.1:7999',
      namespace: 'default',
    });
    expect(
      await resolveEndpoint({
        env: { ...env, TEMPORAL_ADDRESS: 'elsewhere:7233' },
        devConfig: state.temporalConfig,
      }),
    ).toMatchObject({ address: 'elsewhere:7233' });
    const own = join(folder, '.config', 'temporalio');
    await mkdir(own, { recursive: true });
    await writeFile(join(own, 'temporal.toml'), '[profile.default]\naddress = "mine:7233"\n');
    const there = { env, devConfig: state.temporalConfig };
    expect(await resolveEndpoint(there)).toMatchObject({ address: '127.0.0.1:7999' });
    await removeTemporalConfig(state);
    expect(await resolveEndpoint(there)).toMatchObject({ address: 'mine:7233' });
    expect(codecKeyFiles({ dev: state, env })).toEqual([state.codecKeyFile]);
    expect(codecKeyFiles({ dev: state, env, configured: ['/c'] })).toEqual(['/c']);
    expect(
      codecKeyFiles({ dev: state, env: { ROTATE_CODEC_KEY_FILE: '/a:/b' }, configured: ['/c'] }),
    ).toEqual(['/a', '/b']);
    expect(codecKeyFiles({ dev: state, env: { ROTATE_CODEC_KEY_FILE: '/a' }, flag: ['/f'] })).toEqual(['/f']);
  });

  test('leaves a key file alone that a person put there', async () => {
    const other = join(folder, 'own');
    await mkdir(other);
    const state = await ensureDevKeys(other, env);
    await writeFile(state.codecKeyFile, '# mine\n');
    await ensureDevKeys(other, env);
    expect(await readFile(state.codecKeyFile, 'utf8')).toBe('# mine\n');
  });
});
