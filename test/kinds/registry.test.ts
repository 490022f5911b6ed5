/** Walks kinds/ and proves that each folder is registered, for config and for the worker. */
import { readFile, readdir } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { kinds } from '../../kinds/registry.js';
import { kindSchemas } from '../../kinds/schemas.js';

async function folders(): Promise<string[]> {
  const entries = await readdir(new URL('../../kinds', import.meta.url), { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

it('has every kind that has a folder, under its own id', async () => {
  const names = await folders();
  expect(names.length).toBeGreaterThan(0);
  expect([...kinds.keys()].toSorted()).toEqual(names.toSorted());
  for (const [id, kind] of kinds) expect(kind.id).toBe(id);
});

it('has a schema for every kind, and no other', () => {
  expect([...kindSchemas.keys()].toSorted()).toEqual([...kinds.keys()].toSorted());
});

it('turns every schema into JSON schema for editors', () => {
  for (const schema of kindSchemas.values())
    expect(z.toJSONSchema(schema, { io: 'input' })).toHaveProperty('type');
});

it('reads schemas without loading a kind or its driver', async () => {
  const seen = new Set<string>();
  const packages = new Set<string>();
  const visit = async (file: URL): Promise<void> => {
    if (seen.has(file.href)) return;
    seen.add(file.href);
    const source = await readFile(file, 'utf8');
    for (const [statement, specifier = ''] of source.matchAll(/^(?:import|export) .*?from '([^']+)'/gms))
      if (!specifier.startsWith('.')) packages.add(specifier);
      else if (!statement.startsWith('import type'))
        await visit(new URL(specifier.replace(/\.js$/, '.ts'), file));
  };
  await visit(new URL('../../kinds/schemas.ts', import.meta.url));
  expect([...packages]).toEqual(['zod']);
  expect(seen.size).toBeGreaterThan(kindSchemas.size);
});

it('refuses settings that its schema refuses, whichever method is called', () => {
  for (const kind of kinds.values())
    expect(() => kind.overlap({ nonsense: 1 })).toThrow(expect.objectContaining({ type: 'BadConfig' }));
});
