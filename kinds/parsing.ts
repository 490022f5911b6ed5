/**
 * Lets a kind be called with settings of unknown shape, as they come from a plan or a payload; and says with every
 * failure of a kind whose it is: the kind itself speaks of servers, vendors and hosts.
 */
import type { z } from 'zod';
import { RotateError } from '../domain/failure.js';
import { formatSecretRef } from '../domain/spec.js';
import type { Kind, KindContext } from './kind.js';

/** `kind`, whose settings are checked by `schema` at every call. @throws RotateError BadConfig, in every method */
export function parsing<Settings>(kind: Kind<Settings>, schema: z.ZodType<Settings>): Kind<unknown> {
  const read = (settings: unknown): Settings => {
    const result = schema.safeParse(settings);
    if (result.success) return result.data;
    const [issue] = result.error.issues;
    const path = [kind.id, ...(issue?.path ?? [])].join('.');
    throw new RotateError('BadConfig', `${path}: ${issue?.message ?? 'not as the kind expects it'}`, {
      hint: 'correct it in rotate.yaml; `rotate list` tells every mistake with its place',
    });
  };
  return {
    id: kind.id,
    kill: kind.kill,
    source: kind.source,
    ...(kind.disabledCodes === undefined
      ? {}
      : { disabledCodes: (settings) => kind.disabledCodes?.(read(settings)) ?? [] }),
    overlap: (settings) => kind.overlap(read(settings)),
    canDisable: (settings) => kind.canDisable(read(settings)),
    retirement: (settings) => kind.retirement(read(settings)),
    issuerHosts: (settings) => kind.issuerHosts(read(settings)),
    pool: (settings) => kind.pool?.(read(settings)),
    needsAccount: (settings) => kind.needsAccount(read(settings)),
    endpoints: (settings) => kind.endpoints(read(settings)),
    describe: (settings, account) => kind.describe(read(settings), account),
    inspect: (context, settings, current) =>
      named(context, () => kind.inspect(context, read(settings), current)),
    generate: (context, settings, current, given) =>
      named(context, () => kind.generate(context, read(settings), current, given)),
    apply: (context, settings, credentials, target, fence) =>
      named(context, () => kind.apply(context, read(settings), credentials, target, fence)),
    check: (context, settings, credential, from) =>
      named(context, () => kind.check(context, read(settings), credential, from)),
    checkWrong: (context, settings, credential, from) =>
      named(context, () => kind.checkWrong(context, read(settings), credential, from)),
    users: (context, settings, credential, since) =>
      named(context, () => kind.users(context, read(settings), credential, since)),
  };
}

async function named<T>({ secret }: KindContext, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const name = formatSecretRef(secret);
    if (!(error instanceof RotateError) || error.message.includes(name)) throw error;
    const { type, message, hint, host, details } = error;
    throw new RotateError(type, `${name}: ${message}`, {
      ...(hint === undefined ? {} : { hint }),
      ...(host === undefined ? {} : { host }),
      ...(details === undefined ? {} : { details }),
      cause: error,
    });
  }
}
