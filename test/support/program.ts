/** `rotate` as a process of its own. */
import { fileURLToPath } from 'node:url';

import { programFile } from '../../infra/fleet/rotate.js';

const pathOf = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** From its sources, which every process has to compile. */
export const sourceProgram: readonly string[] = [
  process.execPath,
  '--import',
  pathOf('./resolve-sources.mjs'),
  pathOf('../../cli/main.ts'),
];

/** As it is built where `npm test` has just done that, else from its sources. */
export const program: readonly string[] =
  process.env['ROTATE_BUILT'] === '1' ? [process.execPath, programFile] : sourceProgram;
