import { builtinModules } from 'node:module';

import { expect, test } from 'vitest';

import { bundleWorkflows, loadBundle } from '../../worker/bundle.js';

test('the bundle holds what seals failures and what refuses requests, and nothing of Node or of configuration', async () => {
  const { code } = await bundleWorkflows();
  const modules = [...code.matchAll(/^\/\*\*\*\/ "([^"]+)":?/gm)].map(([, name]) => name ?? '');
  const ours = modules.filter((name) => name.startsWith('./') && !name.includes('node_modules'));
  expect(ours).toEqual(
    expect.arrayContaining(['./codec/failure-converter.ts', './workflows/interceptors.ts']),
  );
  const folders = new Set(ours.map((name) => name.split('/')[1]));
  expect(folders).toEqual(new Set(['codec', 'domain', 'workflows']));
  expect(modules.filter((name) => name.includes('/zod/'))).toEqual([]);
  expect(modules.filter((name) => builtinModules.includes(name))).toEqual([]);
}, 30_000);

test('without a prebuilt bundle one is made', async () => {
  expect(await loadBundle()).toHaveProperty('code');
}, 30_000);
