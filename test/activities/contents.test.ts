/** What of main is written over with a rotation's value, and what is not. */
import { describe, expect, test } from 'vitest';
import type { NewContent, RotationScope, SealedSecret } from '../../activities/api.js';
import { contentsWith } from '../../activities/contents.js';
import { configSpec, sealValue, secretSpec, servicesOf } from './services.js';

const commit = '0123456789abcdef';
const scope: RotationScope = { id: 'ID', environment: 'prod', secrets: ['one', 'two', 'list'], base: 'base' };

const config = configSpec(
  [
    secretSpec('one', { file: 'app.age', format: { type: 'env', variable: 'ONE' } }),
    secretSpec('two', { file: 'app.age', format: { type: 'env', variable: 'TWO' } }),
    secretSpec('list', {
      file: 'list.age',
      format: { type: 'json', path: ['keys'], list: { separator: ',' } },
    }),
  ],
  [],
);

async function sealed(name: string, old: string, fresh: string): Promise<Required<SealedSecret>> {
  const services = servicesOf({ config });
  return { name, old: await sealValue(services, old), fresh: await sealValue(services, fresh) };
}

/** What becomes of a file with this content. */
async function contentOf(
  file: string,
  content: string,
  secrets: readonly SealedSecret[],
  which: 'old' | NewContent,
): Promise<string | undefined> {
  const services = servicesOf({ config, contents: { [commit]: { [file]: content } } });
  const there = await services.repo.at(commit, new AbortController().signal);
  return (await contentsWith(services, there, scope, secrets, which)).get(file)?.content.text();
}

describe('a file of several values', () => {
  const file = 'app.age';

  test('keeps what else is in it, also what someone has changed meanwhile', async () => {
    const [one, two] = [await sealed('one', 'old1', 'new1'), await sealed('two', 'old2', 'new2')];
    const theirs = '# theirs\nONE=old1\nOTHER=changed\nTWO=old2\n';
    const merged = await contentOf(file, theirs, [one, two], 'both');
    expect(merged).toBe('# theirs\nONE=new1\nOTHER=changed\nTWO=new2\n');
    expect(await contentOf(file, merged ?? '', [one, two], 'old')).toBe(theirs);
  });

  test.each(['both', 'old'] as const)(
    'is not written over where it has a value of someone else (%s)',
    async (which) => {
      const one = await sealed('one', 'old1', 'new1');
      const error = await contentOf(file, 'ONE=third\nTWO=old2\n', [one], which).catch(
        (reason: unknown) => reason,
      );
      expect(error).toMatchObject({
        type: 'RepoChanged',
        message:
          'someone wrote another value of prod/one to the main branch (0123456789ab); it is not overwritten',
      });
    },
  );
});

describe('the second deploy of a list', () => {
  const file = 'list.age';

  test('leaves the old value out', async () => {
    const list = await sealed('list', 'old', 'new');
    expect(await contentOf(file, '{"keys": ["old"]}', [list], 'both')).toBe('{"keys": ["new", "old"]}');
    expect(await contentOf(file, '{"keys": ["new", "old"]}', [list], 'new')).toBe('{"keys": ["new"]}');
  });

  test.each(['{"keys": ["third","new"]}', '{"keys": ["old"]}'])(
    'writes nothing over what is in use since: %s',
    async (content) => {
      const list = await sealed('list', 'old', 'new');
      await expect(contentOf(file, content, [list], 'new')).rejects.toMatchObject({
        type: 'RepoChanged',
        hint: expect.stringContaining('`rotate abort ID`'),
      });
    },
  );
});
