/**
 * Which Temporal server to talk to: the standard environment (TEMPORAL_ADDRESS,
 * TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS_*, TEMPORAL_PROFILE) and
 * `temporal.toml`, as every Temporal tool reads them. What `rotate dev` serves for this
 * repo comes before the user's own default profile, and after all that he says himself.
 */
import { existsSync } from 'node:fs';

import type { ClientConnectConfig } from '@temporalio/envconfig';

import { RotateError } from '../domain/failure.js';
import { systemCode, systemReason } from '../domain/system-error.js';
import { isAddress } from './accepted.js';

export interface EndpointOptions {
  /** Profile of temporal.toml; default: $TEMPORAL_PROFILE, then `default`. */
  profile?: string;
  /** temporal.toml of `rotate dev`, which is there while it serves. */
  devConfig?: string;
  /** Exactly this one, in the clear, whatever the environment says: for `rotate dev` itself. */
  server?: { address: string; namespace: string };
  env?: NodeJS.ProcessEnv;
}

export interface Endpoint {
  address: string;
  namespace: string;
  connection: ClientConnectConfig['connectionOptions'];
}

const defaultAddress = 'localhost:7233';

/** Variables by which a person says himself which server he means. */
const deciding = ['TEMPORAL_ADDRESS', 'TEMPORAL_PROFILE', 'TEMPORAL_CONFIG_FILE'] as const;

/** @throws RotateError BadConfig when temporal.toml cannot be used or lacks the named profile, or the address is none */
export async function resolveEndpoint(options: EndpointOptions = {}): Promise<Endpoint> {
  const { profile, devConfig, server, env = process.env } = options;
  if (server !== undefined) return { ...server, connection: { address: server.address } };
  const { loadClientConnectConfig } = await import('@temporalio/envconfig');
  const overrideEnvVars = Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const common = {
    ...(profile === undefined || profile === 'default' ? {} : { profile }),
    overrideEnvVars,
  };
  const chosen = 'profile' in common || deciding.some((name) => env[name] !== undefined && env[name] !== '');
  const dev = !chosen && devConfig !== undefined && existsSync(devConfig);
  let config: ClientConnectConfig;
  try {
    config = loadClientConnectConfig(dev ? { ...common, configSource: { path: devConfig } } : common);
  } catch (error) {
    // No cause: the reader of TOML quotes the lines, which may hold a key.
    throw new RotateError(
      'BadConfig',
      `the connection to Temporal is not configured right: ${whyUnusable(error)}`,
      { hint: 'correct TEMPORAL_* or temporal.toml (TEMPORAL_CONFIG_FILE)' },
    );
  }
  const address = config.connectionOptions.address ?? defaultAddress;
  if (!isAddress(address))
    throw new RotateError('BadConfig', `\`${address}\` is not the address of a Temporal server`, {
      hint: 'write host:port in TEMPORAL_ADDRESS or temporal.toml, e.g. 127.0.0.1:7233',
    });
  return {
    address,
    namespace: config.namespace ?? 'default',
    connection: { ...config.connectionOptions, address },
  };
}

/** The first line of what the SDK says: the others quote the file. */
function whyUnusable(error: unknown): string {
  if (systemCode(error) !== undefined) {
    const path = error instanceof Error && 'path' in error ? `${String(error.path)}: ` : '';
    return `${path}${systemReason(error)}`;
  }
  const [first = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  const line = error instanceof Error && 'line' in error ? ` in line ${String(error.line)}` : '';
  return `${first.charAt(0).toLowerCase()}${first.slice(1).replaceAll("'", '`')}${line}`;
}
