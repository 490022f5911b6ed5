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

/**
 * The SDK notes the stack of every promise of a workflow, for its query `__stack_trace`, which is a fifth of what a
 * workflow's task takes. The innermost calls tell where a workflow stands, and where an error came from. `Error` is
 * frozen once the bundle has been read.
 */
const preamble = 'Error.stackTraceLimit = 3;';

/** Bundles the workflows, with what refuses unbelieved payloads and with the converter that seals their failures. */
export async function bundleWorkflows(source: BundleSource = {}): Promise<{ code: string }> {
  const { bundleWorkflowCode, DefaultLogger } = await import('@temporalio/worker');
  const { code } = await bundleWorkflowCode({
    workflowsPath: source.workflowsPath ?? pathOf(`../workflows/index.${extension}`),
    workflowInterceptorModules: [pathOf(`../workflows/interceptors.${extension}`)],
    failureConverterPath,
    logger: new DefaultLogger('WARN'),
  });
  // On the first line, so that the source map still fits.
  return { code: preamble + code };
}

/** The prebuilt bundle where there is one, else a fresh one. */
export async function loadBundle(): Promise<WorkflowBundleOption> {
  return existsSync(prebuiltBundlePath) ? { codePath: prebuiltBundlePath } : bundleWorkflows();
}
