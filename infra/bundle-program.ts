/**
 * The last part of `npm run build`: writes dist/bin, what people run, in few files of CommonJS. Starting a command is
 * finding and reading files, most of all; as it is compiled, `rotate list` has three hundred of them.
 */
import { createHash } from 'node:crypto';
import { chmod, readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { rolldown, type Plugin } from 'rolldown';

import { version } from '../cli/version.js';
import { projectRoot } from './fleet/lab.js';

const dist = join(projectRoot, 'dist');
const folder = join(dist, 'bin');

/** Files that are read for one purpose are one file: everything that these import, and they themselves. */
const together: readonly (readonly [string, readonly string[]])[] = [
  ['start', ['cli/run-process.js', 'cli/program.js']],
  // What commands need that read the repository and ask no server.
  [
    'local',
    [
      'cli/config-cache.js',
      'cli/workspace.js',
      'cli/read-log.js',
      'cli/render/table.js',
      'cli/render/text.js',
      'domain/facts.js',
      'repo/discover.js',
      'repo/log-reader.js',
    ],
  ],
  // One question to the server, without its SDK.
  [
    'quick',
    ['cli/open-session.js', 'cli/render/status-text.js', 'client/dev-state.js', 'client/quick-list.js'],
  ],
];

/** Of all that the program is made of; see cli/config-cache.ts. */
async function buildId(): Promise<string> {
  const hash = createHash('sha256').update(await readFile(join(projectRoot, 'package-lock.json')));
  const files = await readdir(dist, { recursive: true });
  for (const file of files.filter((name) => name.endsWith('.js')).toSorted())
    hash.update(await readFile(join(dist, file)));
  return hash.digest('hex');
}

/** Parts of Node that take long to load, and that most commands use late or never. */
const late = ['node:child_process', 'node:crypto', 'node:fs/promises', 'node:os', 'node:zlib'];

/** Of these, what is imported is a function that loads its module when it is called. */
const lateBuiltins: Plugin = {
  name: 'late-builtins',
  resolveId: (id) => (late.includes(id) ? `\0late:${id}` : null),
  load(id) {
    const [, name] = id.split('\0late:');
    if (name === undefined) return null;
    const functions = Object.entries(process.getBuiltinModule(name) ?? {})
      // No classes: what is imported but not here ends the build.
      .filter(([key, value]) => typeof value === 'function' && /^[a-z]/.test(key))
      .map(([key]) => key);
    return [
      `const loaded = () => process.getBuiltinModule('${name}');`,
      ...functions.map((key) => `export const ${key} = (...all) => loaded().${key}(...all);`),
      `export const constants = new Proxy({}, { get: (_, key) => loaded().constants[key] });`,
      `export default { ${functions.join(', ')} };`,
    ].join('\n');
  },
};

/** What `roots` import at once, and what that imports. */
function closure(roots: readonly string[], importsOf: (id: string) => readonly string[]): Set<string> {
  const found = new Set<string>();
  const add = (id: string): void => {
    if (found.has(id)) return;
    found.add(id);
    for (const each of importsOf(id)) add(each);
  };
  for (const root of roots) add(join(dist, root));
  return found;
}

await rm(folder, { recursive: true, force: true });
const program = await rolldown({
  // Temporal's SDK loads the converter by its path; it must throw and know the same classes as the rest.
  input: {
    rotate: join(dist, 'cli', 'main.js'),
    'failure-converter': join(dist, 'codec', 'failure-converter.js'),
  },
  platform: 'node',
  // Files that belong together may be given more to export.
  preserveEntrySignatures: 'allow-extension',
  // A module that one command loads late is loaded at once by another; that is meant.
  checks: { ineffectiveDynamicImport: false },
  transform: {
    define: {
      ROTATE_BUILD: JSON.stringify(await buildId()),
      ROTATE_VERSION: JSON.stringify(version()),
    },
  },
  // They load files, native ones among them, from where they lie. What reads temporal.toml needs a few of the SDK's
  // that do nothing but help it.
  external: [
    /^@temporalio\/(?!envconfig$|common\/lib\/(?:encoding|internal-workflow))/,
    'node-ssh',
    'pg',
    'ssh2',
  ],
  plugins: [lateBuiltins],
});
const groups = new Map<string, Set<string>>();
await program.write({
  dir: folder,
  // Node's cache of compiled code helps CommonJS more.
  format: 'cjs',
  entryFileNames: '[name].cjs',
  chunkFileNames: '[name].cjs',
  codeSplitting: {
    includeDependenciesRecursively: false,
    groups: together.map(([name, roots], i) => ({
      debugName: name,
      name: (id, modules) => {
        let members = groups.get(name);
        if (members === undefined) {
          const importsOf = (each: string): readonly string[] =>
            modules.getModuleInfo(each)?.importedIds ?? [];
          // What says that Node is too old must be readable by a Node that is too old, and comes first.
          const first = join(dist, 'cli', 'main.js');
          members = closure(roots, importsOf);
          for (const each of [first, ...importsOf(first)]) members.delete(each);
          groups.set(name, members);
        }
        return members.has(id) ? name : null;
      },
      priority: together.length - i,
    })),
  },
});
await program.close();
await chmod(join(folder, 'rotate.cjs'), 0o755);
