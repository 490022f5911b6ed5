/**
 * Which Temporal server to talk to: the standard environment (TEMPORAL_ADDRESS,
 * TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS_*, TEMPORAL_PROFILE) and
 * `temporal.toml`, as every Temporal tool reads them; then what `rotate dev` serves.
 */
import { existsSync } from 'node:fs';

import type { ClientConnectConfig } from '@temporalio/envconfig';

import { RotateError } from '../domain/failure.js';

export interface EndpointOptions {
  /** Profile of temporal.toml; default: $TEMPORAL_PROFILE, then `default`. */
  profile?: string;
  /** temporal.toml of `rotate dev`; used when neither environment nor the user's own file name an address. */
  devConfig?: string;
  env?: NodeJS.ProcessEnv;
}

export interface Endpoint {
  address: string;
  namespace: string;
  connection: ClientConnectConfig['connectionOptions'];
}

const defaultAddress = 'localhost:7233';

/** @throws RotateError BadConfig when temporal.toml cannot be used or lacks the named profile */
export async function resolveEndpoint(options: EndpointOptions = {}): Promise<Endpoint> {
  const { profile, devConfig, env = process.env } = options;
  const { loadClientConnectConfig } = await import('@temporalio/envconfig');
  const overrideEnvVars = Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const common = {
    ...(profile === undefined || profile === 'default' ? {} : { profile }),
    overrideEnvVars,
  };
  try {
    let config = loadClientConnectConfig(common);
    if (config.connectionOptions.address === undefined && devConfig !== undefined && existsSync(devConfig))
      config = loadClientConnectConfig({ ...common, configSource: { path: devConfig } });
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
