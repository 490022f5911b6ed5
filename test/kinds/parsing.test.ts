import { expect, it } from 'vitest';
import { z } from 'zod';

import { RotateError } from '../../domain/failure.js';
import { SecretValue } from '../../domain/secret-value.js';
import type { KindContext } from '../../kinds/kind.js';
import { parsing } from '../../kinds/parsing.js';
import { token } from '../../kinds/token/kind.js';
import { tokenSchema } from '../../kinds/token/schema.js';

const nothing = (): never => {
  throw new Error('not asked for');
};
const context: KindContext = {
  secret: { environment: 'prod', name: 'key' },
  hosts: { host: nothing },
  login: nothing,
  command: nothing,
  commands: [],
  consumers: [],
  signal: AbortSignal.timeout(60_000),
};
const current = { value: SecretValue.fromText('old') };

function failing(error: unknown): Promise<unknown> {
  const kind = parsing({ ...token, inspect: () => Promise.reject(error) }, tokenSchema);
  return kind.inspect(context, {}, current).catch((e: unknown) => e);
}

it('says whose a failure is, and leaves all else of it as it is', async () => {
  const options = { hint: 'wait', host: 'web-1', details: { status: 503 } };
  expect(await failing(new RotateError('IssuerBusy', 'the vendor is busy', options))).toMatchObject({
    type: 'IssuerBusy',
    message: 'prod/key: the vendor is busy',
    ...options,
  });
});

it('does not say it twice, and touches no error that is not ours', async () => {
  for (const error of [new RotateError('NotDead', 'prod/key lives'), new Error('aborted')])
    expect(await failing(error)).toBe(error);
});

it('tells of settings that do not fit which key it is, and what to do', () => {
  const kind = parsing(token, z.strictObject({ words: z.int('must be a number') }).transform(nothing));
  expect(() => kind.overlap({ words: 'x' })).toThrow(
    expect.objectContaining({
      type: 'BadConfig',
      message: 'token.words: must be a number',
      hint: expect.stringContaining('rotate.yaml'),
    }),
  );
});
