import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { connect } from '../../client/connection.js';
import { resolveEndpoint } from '../../client/endpoint.js';
import { requestPlan } from '../../client/inspect.js';
import { requireWorker } from '../../client/worker-alive.js';
import { bundleWorkflows } from '../../worker/bundle.js';
import { connectWorker, startWorker } from '../../worker/run-worker.js';
import { installRuntime } from '../../worker/runtime.js';
import { freshKeys, startTestTemporal, type TestTemporal } from '../support/temporal.js';

const codecKeys = freshKeys();
let temporal: TestTemporal;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rotate-connection-'));
  temporal = await startTestTemporal();
}, 60_000);
afterAll(async () => {
  await temporal?.stop();
  await rm(folder, { recursive: true });
});

async function toml(text: string): Promise<string> {
  const path = join(folder, `${Math.random()}.toml`);
  await writeFile(path, text);
  return path;
}

describe('the endpoint', () => {
  test('comes from the environment', async () => {
    const env = {
      TEMPORAL_ADDRESS: 't.example:7233',
      TEMPORAL_NAMESPACE: 'ops',
      TEMPORAL_API_KEY: 'k',
      HOME: folder,
    };
    expect(await resolveEndpoint({ env })).toMatchObject({
      address: 't.example:7233',
      namespace: 'ops',
      connection: { address: 't.example:7233', apiKey: 'k', tls: true },
    });
  });

  test('comes from a profile of temporal.toml, with TLS, which the environment overrides', async () => {
    const path = await toml(
      `[profile.prod]\naddress = "prod:7233"\nnamespace = "prod"\n[profile.prod.tls]\nserver_name = "temporal.prod"\n`,
    );
    const env = { TEMPORAL_CONFIG_FILE: path, HOME: folder };
    expect(await resolveEndpoint({ env, profile: 'prod' })).toMatchObject({
      address: 'prod:7233',
      namespace: 'prod',
      connection: { tls: { serverNameOverride: 'temporal.prod' } },
    });
    expect(
      await resolveEndpoint({ env: { ...env, TEMPORAL_PROFILE: 'prod', TEMPORAL_NAMESPACE: 'x' } }),
    ).toMatchObject({
      address: 'prod:7233',
      namespace: 'x',
    });
  });

  test('is the local server when nothing is said', async () => {
    expect(await resolveEndpoint({ env: { HOME: folder } })).toMatchObject({
      address: 'localhost:7233',
      namespace: 'default',
    });
  });

  test('that names a profile which is not there is refused', async () => {
    const env = { TEMPORAL_CONFIG_FILE: await toml('[profile.default]\naddress = "a:1"\n'), HOME: folder };
    await expect(resolveEndpoint({ env, profile: 'prod' })).rejects.toMatchObject({
      type: 'BadConfig',
      message: expect.stringContaining('prod'),
    });
  });

  test('that is broken TOML is refused', async () => {
    const env = { TEMPORAL_CONFIG_FILE: await toml('[profile.default\n'), HOME: folder };
    await expect(resolveEndpoint({ env })).rejects.toMatchObject({ type: 'BadConfig' });
  });

  test('that is broken TOML is told by its line, and nothing of it: it may hold a key', async () => {
    const env = {
      TEMPORAL_CONFIG_FILE: await toml('[profile.default]\napi_key = canary55aa\n'),
      HOME: folder,
    };
    const error = await resolveEndpoint({ env }).catch((e: unknown) => e);
    expect(error).toMatchObject({
      type: 'BadConfig',
      message: expect.stringMatching(
        /^the connection to Temporal is not configured right: invalid TOML document: .* in line 2$/,
      ),
    });
    expect(inspect(error, { depth: 9 })).not.toContain('canary55aa');
  });

  test('that names a certificate which is not there says which', async () => {
    const env = { TEMPORAL_TLS_CLIENT_CERT_PATH: '/nowhere/c.pem', HOME: folder };
    await expect(resolveEndpoint({ env })).rejects.toMatchObject({
      type: 'BadConfig',
      message:
        'the connection to Temporal is not configured right: /nowhere/c.pem: there is no such file (ENOENT)',
    });
  });

  test.each(['http://x:7233', 'host:99999', 'a b', 'user@host', ':7233'])(
    'with `%s` for an address is refused',
    async (address) => {
      await expect(
        resolveEndpoint({ env: { TEMPORAL_ADDRESS: address, HOME: folder } }),
      ).rejects.toMatchObject({
        type: 'BadConfig',
        message: `\`${address}\` is not the address of a Temporal server`,
        hint: expect.stringContaining('host:port'),
      });
    },
  );

  test.each(['127.0.0.1:1', 'host', '[::1]:7233'])('with `%s` for an address is right', async (address) => {
    const env = { TEMPORAL_ADDRESS: address, HOME: folder };
    expect(await resolveEndpoint({ env })).toMatchObject({ address });
  });
});

describe('connecting', () => {
  test('to nothing says where it looked and what to do', async () => {
    const env = { TEMPORAL_ADDRESS: '127.0.0.1:1', HOME: folder };
    await expect(connect({ codecKeys, env, timeoutMs: 500 })).rejects.toMatchObject({
      type: 'TemporalUnreachable',
      message: 'cannot reach Temporal at 127.0.0.1:1: connection refused (ECONNREFUSED)',
      hint: expect.stringContaining('rotate dev'),
    });
  });

  test('to a port that accepts and never answers gives up', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = silent.address();
    const port = typeof address === 'object' ? address?.port : 0;
    await expect(
      connect({ codecKeys, env: { TEMPORAL_ADDRESS: `127.0.0.1:${port}`, HOME: folder }, timeoutMs: 500 }),
    ).rejects.toMatchObject({
      type: 'TemporalUnreachable',
      message: `cannot reach Temporal at 127.0.0.1:${port}: it accepts a connection, and does not answer as Temporal does`,
      hint: expect.stringContaining('TLS'),
    });
    silent.close();
  });

  test('to a namespace that is not there says so', async () => {
    const env = { ...temporal.env, TEMPORAL_NAMESPACE: 'nowhere' };
    await expect(connect({ codecKeys, env })).rejects.toMatchObject({
      type: 'BadConfig',
      message: `Temporal at ${temporal.server.address} has no namespace nowhere`,
    });
  });

  test('costs a command nothing that does not connect: the SDK is not loaded', () => {
    const hooks = fileURLToPath(new URL('../support/resolve-sources.mjs', import.meta.url));
    const files = ['connection', 'endpoint', 'worker-alive', 'dev-state'].map((name) =>
      fileURLToPath(new URL(`../../client/${name}.ts`, import.meta.url)),
    );
    const script = `
      import { createRequire } from 'node:module';
      for (const file of ${JSON.stringify(files)}) await import(file);
      const { cache } = createRequire(import.meta.url);
      console.log(Object.keys(cache).filter((path) => path.includes('@temporalio')).length);`;
    const output = execFileSync(process.execPath, ['--import', hooks, '--input-type=module', '-e', script]);
    expect(output.toString().trim()).toBe('0');
  });
});

describe('requireWorker', () => {
  test('says so when nobody listens, and leaves nothing behind', async () => {
    const { client, close } = await temporal.connect(codecKeys);
    await expect(requireWorker(client, { taskQueue: 'empty', timeoutMs: 1_000 })).rejects.toMatchObject({
      type: 'NoWorker',
      message: 'no worker answered on the task queue empty within 1 s',
    });
    expect((await client.workflow.count('ExecutionStatus = "Running"')).count).toBe(0);
    await close();
  }, 30_000);

  test('is content with a worker that answers, and notices when it has gone', async () => {
    installRuntime({ log: { level: 'ERROR', format: 'json', write: () => {} } });
    const bundle = await bundleWorkflows({
      workflowsPath: fileURLToPath(new URL('../codec/fixtures/workflows.ts', import.meta.url)),
    });
    const { client, close } = await temporal.connect(codecKeys);
    const native = await connectWorker({ env: temporal.env });
    const worker = await startWorker({
      connection: native.connection,
      namespace: 'default',
      taskQueue: 'there',
      activities: {},
      codecKeys,
      bundle,
    });
    await expect(requireWorker(client, { taskQueue: 'there' })).resolves.toBeUndefined();
    await worker.stop();
    await native.close();
    await expect(requireWorker(client, { taskQueue: 'there', timeoutMs: 1_000 })).rejects.toMatchObject({
      type: 'NoWorker',
    });
    await close();
  }, 60_000);
});

test('a plan that nobody can make is not left to a worker that comes later', async () => {
  const connection = await connect({ codecKeys, env: temporal.env });
  const session = { connection, signal: new AbortController().signal };
  await expect(requestPlan(session, { secrets: ['db'] })).rejects.toMatchObject({ type: 'NoWorker' });
  // Lists lag behind.
  await expect
    .poll(async () => (await connection.client.workflow.count('ExecutionStatus = "Running"')).count, {
      timeout: 20_000,
    })
    .toBe(0);
  await connection.close();
}, 60_000);
