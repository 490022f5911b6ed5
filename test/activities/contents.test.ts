/** What of main is written over with a rotation's value, and what is not. */
import { describe, expect, test } from 'vitest';
import type { NewContent, RotationScope, SealedSecret } from '../../activities/api.js';
import { contentsWith } from '../../activities/contents.js';
import type { Snapshot } from '../../activities/ports.js';
import { sealCredential } from '../../activities/sealed.js';
import { parseRotateYaml } from '../../config/rotate-yaml.js';
import { SecretValue } from '../../domain/secret-value.js';
import { parseSecret, renderSecret } from '../../stores/format/format.js';

/** Sealing is not what is tested here. */
const services = {
  formats: { parse: parseSecret, render: renderSecret },
  sealer: {
    recipients: [],
    seal: async (bytes: Uint8Array) => Buffer.from(bytes).toString('base64'),
    open: async (text: string) => Uint8Array.from(Buffer.from(text, 'base64')),
  },
};

const scope: RotationScope = { id: 'ID', environment: 'prod', secrets: ['one', 'two', 'list'], base: 'base' };

const config = parseRotateYaml(
  `version: 1
environments: { prod: { store: agenix, rules: secrets.nix } }
hosts: { web: { environment: prod, address: 192.0.2.1 } }
secrets:
  prod:
    one: { kind: token, file: app.age, format: { env: ONE }, token: {}, consumers: [{ hosts: [web], units: [app.service] }] }
    two: { kind: token, file: app.age, format: { env: TWO }, token: {}, consumers: [{ hosts: [web], units: [app.service] }] }
    list:
      kind: token
      file: list.age
      format: { json: keys, list: true }
      token: { keepOld: 1d }
      consumers: [{ hosts: [web], units: [app.service] }]
`,
  'rotate.yaml',
);

/** The repo at a commit with this content in every file. */
function at(content: string): Snapshot {
  return {
    commit: '0123456789abcdef',
    config,
    recipients: async () => [],
    read: async () => SecretValue.fromText(content),
    ciphertext: async () => new Uint8Array(),
    encrypt: async (_secret, value) => value.bytes(),
  };
}

async function sealed(name: string, old: string, fresh: string): Promise<Required<SealedSecret>> {
  const seal = (value: string): Promise<string> =>
    sealCredential(services, { value: SecretValue.fromText(value) });
  return { name, old: await seal(old), fresh: await seal(fresh) };
}

async function contentOf(
  file: string,
  there: Snapshot,
  secrets: readonly SealedSecret[],
  which: 'old' | NewContent,
): Promise<string | undefined> {
  return (await contentsWith(services, there, scope, secrets, which)).get(file)?.content.text();
}

describe('a file of several values', () => {
  const file = 'app.age';

  test('keeps what else is in it, also what someone has changed meanwhile', async () => {
    const [one, two] = [await sealed('one', 'old1', 'new1'), await sealed('two', 'old2', 'new2')];
    const theirs = '# theirs\nONE=old1\nOTHER=changed\nTWO=old2\n';
    const merged = await contentOf(file, at(theirs), [one, two], 'both');
    expect(merged).toBe('# theirs\nONE=new1\nOTHER=changed\nTWO=new2\n');
    expect(await contentOf(file, at(merged ?? ''), [one, two], 'old')).toBe(theirs);
  });

  test.each(['both', 'old'] as const)(
    'is not written over where it has a value of someone else (%s)',
    async (which) => {
      const one = await sealed('one', 'old1', 'new1');
      const error = await contentOf(file, at('ONE=third\nTWO=old2\n'), [one], which).catch(
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
    expect(await contentOf(file, at('{"keys": ["old"]}'), [list], 'both')).toBe('{"keys": ["new", "old"]}');
    expect(await contentOf(file, at('{"keys": ["new", "old"]}'), [list], 'new')).toBe('{"keys": ["new"]}');
  });

  test.each(['{"keys": ["third","new"]}', '{"keys": ["old"]}'])(
    'writes nothing over what is in use since: %s',
    async (content) => {
      const list = await sealed('list', 'old', 'new');
      await expect(contentOf(file, at(content), [list], 'new')).rejects.toMatchObject({
        type: 'RepoChanged',
        hint: expect.stringContaining('`rotate abort ID`'),
      });
    },
  );
});
