/**
 * The workflow bundle: what the SDK runs in its sandbox. `npm run build` makes it once
 * (bundle-cli.ts), because bundling at start takes a second.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import type { WorkflowBundleOption } from '@temporalio/worker';

import { failureConverterPath } from '../codec/data-converter.js';

/** `.ts` when run from the sources (tests), `.js` in dist/. */
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';

function pathOf(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}

/** dist/workflow-bundle.js, beside the compiled folders. */
export const prebuiltBundlePath = pathOf('../workflow-bundle.js');

export interface BundleSource {
  /** A file with an extension, not a URL. Default: workflows/index. */
  workflowsPath?: string;
}

/** Bundles the workflows, with what refuses unbelieved payloads and with the converter that seals their failures. */
export async function bundleWorkflows(source: BundleSource = {}): Promise<{ code: string }> {
  const { bundleWorkflowCode, DefaultLogger } = await import('@temporalio/worker');
  return bundleWorkflowCode({
    workflowsPath: source.workflowsPath ?? pathOf(`../workflows/index.${extension}`),
    workflowInterceptorModules: [pathOf(`../workflows/interceptors.${extension}`)],
    failureConverterPath,
    logger: new DefaultLogger('WARN'),
  });
}

/** The prebuilt bundle where there is one, else a fresh one. */
export async function loadBundle(): Promise<WorkflowBundleOption> {
  return existsSync(prebuiltBundlePath) ? { codePath: prebuiltBundlePath } : bundleWorkflows();
}
