/** Reads docs/kinds/http.md: its examples are right and run, and it names every setting. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { readRotateYaml } from '../../../config/rotate-yaml.js';
import { parseWorkerYaml } from '../../../config/worker-yaml.js';
import type { Credential, Target } from '../../../domain/credential.js';
import { http } from '../../../kinds/http/kind.js';
import { httpSchema } from '../../../kinds/http/schema.js';
import { fixture } from './fixture.js';
import { startVendor, type Vendor } from './vendor-server.js';

const page = await readFile(new URL('../../../docs/kinds/http.md', import.meta.url), 'utf8');

/** Blocks of the page, without the indentation that a list gives them. */
function blocks(language: string): string[] {
  return [...page.matchAll(new RegExp(`^( *)\`\`\`${language}\\n([^]*?)\`\`\``, 'gm'))].map(
    ([, indent = '', text = '']) => text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  );
}

const examples = blocks('yaml rotate');
const fleet = `version: 1
environments: { prod: { store: agenix, rules: secrets.nix } }
hosts: { web-1: { environment: prod } }
`;

let vendor: Vendor;
beforeAll(async () => {
  vendor = await startVendor();
});
afterAll(async () => {
  await vendor.stop();
});

it('shows two ways to know the key in use, and where the login is', () => {
  expect(examples).toHaveLength(2);
  const [login = ''] = blocks('yaml worker');
  const worker = `version: 1\nrepo: ssh://git@forge/x.git\nidentities: [/a]\ncodecKeys: [/b]\nssh: { agent: true }\n${login}`;
  expect(parseWorkerYaml(worker, '/etc/rotate/worker.yaml').logins['mail-admin']?.type).toBe('store');
});

describe.each(examples.map((text, i) => [i + 1, text] as const))('example %i', (_number, text) => {
  it('is read without a mistake or a warning', () => {
    expect(readRotateYaml(`${fleet}${text}`, 'rotate.yaml')).toMatchObject({ problems: [], warnings: [] });
  });

  it('rotates a key', async () => {
    const [secret] = Object.values(
      (parse(text) as { secrets: { prod: Record<string, { http: object }> } }).secrets.prod,
    );
    const made = fixture(vendor, { ...secret?.http, base: `${vendor.origin}/v1` });
    const { settings } = made;
    const context = {
      ...made.context,
      login: async () => made.context.login('vendor-admin'),
    };
    const account = http.needsAccount(settings) ? made.used.id : undefined;
    const inFile = { value: made.current.value, ...(account === undefined ? {} : { account }) };
    const { existing = [], verifier, problems } = await http.inspect(context, settings, inFile);
    expect(problems).toEqual([]);
    const old: Credential = { ...inFile, ...(verifier === undefined ? {} : { verifier }) };
    const fresh = await http.generate(context, settings, old, { existing });
    const apply = async (target: Target) =>
      http.apply(context, settings, { old, new: fresh, existing }, target, { epoch: 1, seq: 1 });
    const outcome = async (credential: Credential) =>
      (await http.check(context, settings, credential, 'web-1'))[0]?.outcome;
    await apply({ old: 'valid', new: 'valid' });
    expect([await outcome(old), await outcome(fresh)]).toEqual(['accepted', 'accepted']);
    if (http.canDisable(settings)) {
      await apply({ old: 'disabled', new: 'valid' });
      expect([await outcome(old), await outcome(fresh)]).toEqual(['refused', 'accepted']);
    }
    await apply({ old: 'destroyed', new: 'valid' });
    expect([await outcome(old), await outcome(fresh)]).toEqual(['refused', 'accepted']);
    expect(vendor.keys.map(({ label }) => label)).toEqual([
      made.stranger.label,
      `rotate/prod/api-key/${context.rotation}`,
    ]);
  });
});

const Node = z.looseObject({
  default: z.unknown().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  anyOf: z.array(z.unknown()).optional(),
});
/** Said once for all requests. */
const ofEveryRequest = ['get', 'post', 'put', 'patch', 'delete', 'headers', 'basic', 'body'];

function keysOf(schema: unknown, path: readonly string[]): { key: string; fallback: string }[] {
  const { properties = {}, anyOf = [] } = Node.parse(schema);
  const own = Object.entries(properties).flatMap(([name, value]) => {
    if (path.length > 0 && path[0] !== 'auth' && ofEveryRequest.includes(name)) return [];
    const node = Node.parse(value);
    const inner = keysOf(value, [...path, name]);
    const fallback = node.default === undefined ? '' : JSON.stringify(node.default).replaceAll(',', ', ');
    return [
      ...(node.properties === undefined ? [{ key: [...path, name].join('.'), fallback }] : []),
      ...inner,
    ];
  });
  return [...own, ...anyOf.flatMap((each) => keysOf(each, path))];
}

it.each(keysOf(z.toJSONSchema(httpSchema, { io: 'input' }), []))(
  'names the setting $key with its default $fallback',
  ({ key, fallback }) => {
    const rows = page.split('\n').filter((line) => line.startsWith('|') && line.includes(`\`${key}\``));
    expect(rows).not.toEqual([]);
    expect(rows.join('\n')).toContain(fallback === '' ? '' : `\`${fallback}\``);
  },
);
