/** The second half of `npm run build`: writes dist/workflow-bundle.js. */
import { rename, writeFile } from 'node:fs/promises';

import { bundleWorkflows, prebuiltBundlePath } from './bundle.js';

const { code } = await bundleWorkflows();
const temporary = `${prebuiltBundlePath}.${process.pid}`;
await writeFile(temporary, code);
await rename(temporary, prebuiltBundlePath);
