/** Lets a kind be called with settings of unknown shape, as they come from a plan or a payload. */
import type { z } from 'zod';
import { RotateError } from '../domain/failure.js';
import type { Kind } from './kind.js';

/** `kind`, whose settings are checked by `schema` at every call. @throws RotateError BadConfig, in every method */
export function parsing<Settings>(kind: Kind<Settings>, schema: z.ZodType<Settings>): Kind<unknown> {
  const read = (settings: unknown): Settings => {
    const result = schema.safeParse(settings);
    if (result.success) return result.data;
    const [issue] = result.error.issues;
    const path = [kind.id, ...(issue?.path ?? [])].join('.');
    throw new RotateError('BadConfig', `${path}: ${issue?.message ?? 'not as the kind expects it'}`);
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
    needsAccount: (settings) => kind.needsAccount(read(settings)),
    endpoints: (settings) => kind.endpoints(read(settings)),
    describe: (settings, account) => kind.describe(read(settings), account),
    inspect: async (context, settings, current) => kind.inspect(context, read(settings), current),
    generate: async (context, settings, current, given) =>
      kind.generate(context, read(settings), current, given),
    apply: async (context, settings, credentials, target, fence) =>
      kind.apply(context, read(settings), credentials, target, fence),
    check: async (context, settings, credential, from) =>
      kind.check(context, read(settings), credential, from),
    checkWrong: async (context, settings, credential, from) =>
      kind.checkWrong(context, read(settings), credential, from),
    users: async (context, settings, credential, since) =>
      kind.users(context, read(settings), credential, since),
  };
}
