/**
 * Which Temporal server to talk to: the standard environment (TEMPORAL_ADDRESS,
 * TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS_*, TEMPORAL_PROFILE) and
 * `temporal.toml`, as every Temporal tool reads them. What `rotate dev` serves for this
 * repo comes before the user's own default profile, and after all that he says himself.
 */
import { existsSync } from 'node:fs';

import type { ClientConnectConfig } from '@temporalio/envconfig';

import { RotateError } from '../domain/failure.js';

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

/** @throws RotateError BadConfig when temporal.toml cannot be used or lacks the named profile */
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
  try {
    const config = loadClientConnectConfig(dev ? { ...common, configSource: { path: devConfig } } : common);
    const address = config.connectionOptions.address ?? defaultAddress;
    return {
      address,
      namespace: config.namespace ?? 'default',
      connection: { ...config.connectionOptions, address },
    };
  } catch (error) {
    throw new RotateError(
      'BadConfig',
      `the connection to Temporal is not configured right: ${error instanceof Error ? error.message : String(error)}`,
      { hint: 'check TEMPORAL_* and temporal.toml (TEMPORAL_CONFIG_FILE)', cause: error },
    );
  }
}
