/**
 * The data converter of client and worker: default payload conversion, our failure
 * converter, our codec.
 */
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { DataConverter } from '@temporalio/common';

import type { CodecKeyring } from './keyring.js';
import { makePayloadCodec, type CodecOptions } from './payload-codec.js';

/** `.ts` in tests, `.js` in dist/, `.cjs` in the bundle of the command line. */
const extension = extname(import.meta.url);

/** Also to be given to `bundleWorkflowCode`. */
export const failureConverterPath = fileURLToPath(
  new URL(`./failure-converter${extension}`, import.meta.url),
);

/**
 * @param onRefusal `mark` for the worker and for lists (where one foreign workflow must not spoil the rest),
 *   `throw` for the client
 */
export function makeDataConverter(
  keyring: CodecKeyring,
  onRefusal: CodecOptions['onRefusal'],
): DataConverter {
  if (extension === '.ts') resolveSources();
  return { failureConverterPath, payloadCodecs: [makePayloadCodec(keyring, { onRefusal })] };
}

let resolving = false;

/** The SDK `require()`s the converter by its path. In tests that is TypeScript, which Node runs, but whose `./x.js` it does not find. */
function resolveSources(): void {
  if (resolving) return;
  resolving = true;
  nodeModule.registerHooks({
    resolve(specifier, context, next) {
      if (
        specifier.startsWith('.') &&
        specifier.endsWith('.js') &&
        context.parentURL?.endsWith('.ts') === true
      ) {
        const source = new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL);
        if (existsSync(source)) return next(source.href, context);
      }
      return next(specifier, context);
    },
  });
}
