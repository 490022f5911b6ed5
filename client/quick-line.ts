/** What a call without Temporal's SDK needs: keys, and a server that can be reached in the plain way. */
import { loadCodecKeys, type CodecKeyring } from '../codec/keyring.js';
import { resolveEndpoint, type Endpoint } from './endpoint.js';
import type { OpenOptions } from './open.js';

/** Milliseconds. A server that is slower is asked through the SDK, which waits longer and says what is wrong. */
const soonMs = 2_000;
/** Variables of gRPC's own by which a connection becomes another one. */
const proxies = ['grpc_proxy', 'https_proxy', 'http_proxy'];

export interface QuickLine {
  codecKeys: CodecKeyring;
  endpoint: Endpoint;
}

/**
 * @returns undefined where only the SDK knows how
 * @throws RotateError BadConfig (keys, temporal.toml)
 */
export async function quickLine(options: OpenOptions): Promise<QuickLine | undefined> {
  const [codecKeys, endpoint] = await Promise.all([
    loadCodecKeys(options.keyFiles),
    resolveEndpoint(options),
  ]);
  return proxies.some((name) => (options.env[name] ?? '') !== '') ? undefined : { codecKeys, endpoint };
}

/** Until the person has had enough, or it is not soon any more. */
export function soon(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(soonMs)]);
}
