/** A real Temporal server, codec keys and a bundle for tests. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { TemporalConnection } from '../../client/connection.js';
import { connect } from '../../client/connection.js';
import {
  generateCodecKey,
  makeCodecKeyring,
  parseCodecKeys,
  type CodecKeyring,
} from '../../codec/keyring.js';
import { startDevServer, type DevServer } from '../../worker/dev-server.js';

export interface TestTemporal {
  /** A test that ends it puts the one here that it starts in its place. */
  server: DevServer;
  folder: string;
  /** Environment that points at the server. */
  env: NodeJS.ProcessEnv;
  connect(codecKeys: CodecKeyring): Promise<TemporalConnection>;
  stop(): Promise<void>;
}

/** Starts a tuned server with its state in a folder of its own. */
export async function startTestTemporal(): Promise<TestTemporal> {
  const folder = await mkdtemp(join(tmpdir(), 'rotate-temporal-'));
  const server = await startDevServer({ databaseFile: join(folder, 'temporal.db'), tuned: true });
  const env = { TEMPORAL_ADDRESS: server.address, TEMPORAL_NAMESPACE: server.namespace, HOME: folder };
  const temporal: TestTemporal = {
    server,
    folder,
    env,
    connect: (codecKeys) => connect({ codecKeys, env }),
    stop: async () => {
      await temporal.server.stop();
      await rm(folder, { recursive: true });
    },
  };
  return temporal;
}

/** A keyring of `count` fresh keys. */
export function freshKeys(count = 1): CodecKeyring {
  const keys = Array.from({ length: count }, () => parseCodecKeys(generateCodecKey(), 'test')).flat();
  const [first, ...rest] = keys;
  if (first === undefined) throw new Error('no keys');
  return makeCodecKeyring([first, ...rest]);
}
