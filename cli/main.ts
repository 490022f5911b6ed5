#!/usr/bin/env node
/** The `rotate` program. What it is made of is loaded once Node is known to be new enough, and from its cache. */
import { exitCodes } from './exit-codes.js';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 12)) {
  const message = `Node ${process.versions.node} is too old for rotate`;
  const hint = 'put Node 22.12 or newer first in PATH';
  if (process.argv.includes('--json'))
    process.stdout.write(`${JSON.stringify({ error: { type: 'BadConfig', message, hint } })}\n`);
  process.stderr.write(`rotate: error: ${message}\nrotate: hint: ${hint}\n`);
  process.exit(exitCodes.usage);
}

// Start-up is dominated by loading modules; the cache is in Node's own folder.
process.getBuiltinModule('node:module').enableCompileCache();

void import('./run-process.js').then(({ runProcess }) => runProcess());
