/** That a token is gone: its own value is another one, whatever else is in its file. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { verifyActivities } from '../../activities/verify.js';
import type { FormatSpec } from '../../domain/spec.js';
import { configSpec, runActivity, sealValue, secretSpec, servicesOf } from './services.js';

const file = 'secrets/app.age';

/** The proof for a secret of which `old` is to be gone from `content`, which is what the host has. */
async function proveGone(format: FormatSpec, old: string, content: string) {
  const services = servicesOf({
    config: configSpec([secretSpec('key', { format, file })], ['web-1']),
    contents: { c1: { [file]: content } },
    fleet: {
      inspectFile: async () => ({
        sha256: createHash('sha256').update(content).digest('hex'),
        owners: ['root', '0'],
        groups: ['root', '0'],
        mode: '0400',
        inStore: false,
        installedAtUs: 1,
      }),
    },
  });
  const { proveGone: prove } = verifyActivities(services);
  return runActivity(async () =>
    prove({
      scope: { id: 'ID', environment: 'prod', secrets: ['key'], base: 'c0', host: 'web-1' },
      files: [{ secret: 'key', path: '/run/agenix/app', owner: 'root', group: 'root', mode: '0400' }],
      commit: 'c1',
      secrets: [
        { name: 'key', old: await sealValue(services, old), fresh: await sealValue(services, 'new') },
      ],
      purpose: 'destroyed',
    }),
  );
}

const env: FormatSpec = { type: 'env', variable: 'KEY' };
const list = { separator: ',' };

describe('the old value is gone', () => {
  test.each<[string, FormatSpec, string, string]>([
    ['where another variable has the same one', env, 'changeme', 'KEY=new\nOTHER=changeme\n'],
    ['where a comment or a path has it in it', env, 'dev', '# dev\nNULL=/dev/null\nKEY=new\n'],
    ['where the new one has it in it', env, 'ne', 'KEY=new\n'],
    ['from a list', { ...env, list }, 'old', 'KEY=new,older\n'],
    ['from a YAML list', { type: 'yaml', path: ['keys'], list }, 'old', 'keys:\n- new\nb: old\n'],
    ['from a whole file', { type: 'raw' }, 'old', 'new\n'],
  ])('%s', async (_, format, old, content) => {
    const { proof } = await proveGone(format, old, content);
    expect(proof).toMatchObject([{ claim: 'the old value is gone', host: 'web-1', result: 'passed' }]);
  });
});

describe('the old value is not gone', () => {
  test.each<[string, FormatSpec, string]>([
    ['where it still stands', env, 'KEY=old\n'],
    ['where it stands in quotes', env, 'KEY="old"\n'],
    ['from a list that has it behind the new one', { ...env, list }, 'KEY=new,older,old\n'],
    ['from a YAML list', { type: 'yaml', path: ['keys'], list }, 'keys:\n- new\n- "\\x6fld"\n'],
    ['from a whole file', { type: 'raw' }, 'old\n'],
  ])('%s', async (_, format, content) => {
    await expect(proveGone(format, 'old', content)).rejects.toMatchObject({
      type: 'NotDead',
      message: 'prod/key: secrets/app.age at c1 still holds the old value',
    });
  });
});
