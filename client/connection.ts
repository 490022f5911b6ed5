/**
 * The connection to Temporal. The SDK is imported here, when first needed: it takes
 * longer to load than most commands take to run.
 */
import type { Client } from '@temporalio/client';

import type { CodecKeyring } from '../codec/keyring.js';
import { RotateError } from '../domain/failure.js';
import { accepted, whyNotAccepted } from './accepted.js';
import { resolveEndpoint, type Endpoint, type EndpointOptions } from './endpoint.js';
import { grpcCodeOf, grpcCodes } from './grpc-codes.js';

export interface ConnectOptions extends EndpointOptions {
  codecKeys: CodecKeyring;
  /** Milliseconds until the server must have answered. Default 5,000. */
  timeoutMs?: number;
}

export interface TemporalConnection {
  /** A payload that it cannot believe makes a call throw RotateError Forged or WrongKey. */
  client: Client;
  /** For lists: a payload that it cannot believe becomes a marker, so that one foreign workflow does not spoil the rest. */
  lister: Client;
  endpoint: Endpoint;
  close(): Promise<void>;
}

/**
 * Connects and checks that the namespace is there.
 * @throws RotateError TemporalUnreachable, NotAllowed (the server refuses our credentials), BadConfig
 */
export async function connect(options: ConnectOptions): Promise<TemporalConnection> {
  const endpoint = await resolveEndpoint(options);
  const [{ Connection, Client }, { makeDataConverter }] = await Promise.all([
    import('@temporalio/client'),
    import('../codec/data-converter.js'),
  ]);
  const timeoutMs = options.timeoutMs ?? 5_000;
  const { disableErrorCodeMetricTags: _, ...connectionOptions } = endpoint.connection;
  const connection = await Connection.connect({ ...connectionOptions, connectTimeout: timeoutMs }).catch(
    async (error: unknown) => {
      throw await unreachable(endpoint, error);
    },
  );
  try {
    await connection.withDeadline(Date.now() + timeoutMs, () =>
      connection.workflowService.describeNamespace({ namespace: endpoint.namespace }),
    );
  } catch (error) {
    await connection.close();
    throw await unreachable(endpoint, error);
  }
  const make = (onRefusal: 'throw' | 'mark'): Client =>
    new Client({
      connection,
      namespace: endpoint.namespace,
      dataConverter: makeDataConverter(options.codecKeys, onRefusal),
    });
  return { client: make('throw'), lister: make('mark'), endpoint, close: () => connection.close() };
}

/** Milliseconds to find out why there was no answer. */
const lookMs = 2_000;

/**
 * What a failure to connect to `endpoint` means. Temporal's client says of all but refusals that time is over, so that
 * it is looked at whether anything listens there. Shared with the worker's own connection.
 */
export async function unreachable(endpoint: Endpoint, error: unknown): Promise<RotateError> {
  const code = grpcCodeOf(error);
  if (code === grpcCodes.permissionDenied || code === grpcCodes.unauthenticated)
    return new RotateError('NotAllowed', `Temporal at ${endpoint.address} refuses our credentials`, {
      hint: 'check the API key or client certificate (TEMPORAL_API_KEY, TEMPORAL_TLS_*, temporal.toml)',
      cause: error,
    });
  if (code === grpcCodes.notFound)
    return new RotateError(
      'BadConfig',
      `Temporal at ${endpoint.address} has no namespace ${endpoint.namespace}`,
      {
        hint: `create it (temporal operator namespace create -n ${endpoint.namespace}) or name another (TEMPORAL_NAMESPACE)`,
        cause: error,
      },
    );
  const what = `cannot reach Temporal at ${endpoint.address}`;
  const refusal = await accepted(endpoint.address, AbortSignal.timeout(lookMs)).then(
    () => undefined,
    whyNotAccepted,
  );
  if (refusal === undefined)
    return new RotateError(
      'TemporalUnreachable',
      `${what}: it accepts a connection, and does not answer as Temporal does`,
      {
        hint: 'see whether Temporal listens there, and whether it wants TLS (TEMPORAL_TLS, TEMPORAL_TLS_*, temporal.toml)',
        cause: error,
      },
    );
  return new RotateError('TemporalUnreachable', `${what}: ${refusal}`, {
    hint: 'start it (`rotate dev` has one built in), or name another with TEMPORAL_ADDRESS or temporal.toml',
    cause: error,
  });
}
