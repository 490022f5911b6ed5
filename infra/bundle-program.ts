/**
 * The last part of `npm run build`: writes dist/bin, what people run, in few files of CommonJS. Starting a command is
 * finding and reading files, most of all; as it is compiled, `rotate list` has three hundred of them.
 */
import { createHash } from 'node:crypto';
import { chmod, readFile, readdir, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import protobuf from 'protobufjs/light.js';
import { rolldown, type Plugin } from 'rolldown';

import { version } from '../cli/version.js';
import { projectRoot } from './fleet/lab.js';

const dist = join(projectRoot, 'dist');
const folder = join(dist, 'bin');

/** Files that are read for one purpose are one file: everything that these import, and they themselves. */
const together: readonly (readonly [string, readonly string[]])[] = [
  ['start', ['cli/run-process.js', 'domain/is-object.js']],
  // What commands need that read the repository and ask no server.
  [
    'local',
    [
      'cli/cache.js',
      'cli/workspace.js',
      'cli/read-log.js',
      'cli/render/table.js',
      'cli/render/text.js',
      'domain/facts.js',
      'repo/plain-clone.js',
    ],
  ],
  // Where git has to be asked.
  ['log', ['repo/discover.js', 'repo/log-reader.js']],
  // One question to the server, without its SDK.
  ['quick', ['cli/open-session.js', 'cli/render/status-text.js', 'client/quick-list.js']],
  // What reads a line that is not plain, and prints help.
  ['parser', ['cli/program.js']],
];

/** In no closure, but used by most of them. */
const shared = ['\0late:node:child_process'];

/** Of all that the program is made of; see cli/cache.ts. */
async function buildId(): Promise<string> {
  const hash = createHash('sha256').update(await readFile(join(projectRoot, 'package-lock.json')));
  const files = await readdir(dist, { recursive: true });
  for (const file of files.filter((name) => name.endsWith('.js')).toSorted())
    hash.update(await readFile(join(dist, file)));
  return hash.digest('hex');
}

/** Parts of Node that take long to load, and that most commands use late or never. */
const late = ['node:child_process', 'node:crypto', 'node:fs/promises', 'node:os', 'node:zlib'];

/**
 * Of these, what is imported loads its module when it is used. A proxy, as functions of Node's have properties too:
 * `promisify` finds by one how to call them.
 */
const lateBuiltins: Plugin = {
  name: 'late-builtins',
  resolveId: (id) => (late.includes(id) ? `\0late:${id}` : null),
  load(id) {
    const [, name] = id.split('\0late:');
    if (name === undefined) return null;
    const names = Object.entries(process.getBuiltinModule(name) ?? {})
      // No classes: what is imported but not here ends the build.
      .filter(([key, value]) => key === 'constants' || (typeof value === 'function' && /^[a-z]/.test(key)))
      .map(([key]) => key);
    return [
      `const late = (name) => {`,
      `  const loaded = () => process.getBuiltinModule('${name}')[name];`,
      `  return new Proxy(() => {}, {`,
      `    apply: (_, self, all) => Reflect.apply(loaded(), self, all),`,
      `    get: (_, key) => loaded()[key],`,
      `  });`,
      `};`,
      ...names.map((key) => `export const ${key} = late('${key}');`),
      `export default { ${names.join(', ')} };`,
    ].join('\n');
  },
};

/**
 * Of Temporal's protocol, the parts that a client does not speak: with the core of its workers, and with the API of
 * Temporal Cloud. Making classes of the definitions is most of the time that the SDK's client takes to load.
 */
const unspoken: readonly (readonly string[])[] = [['coresdk'], ['temporal', 'api', 'cloud']];

const spokenProtocol: Plugin = {
  name: 'spoken-protocol',
  load(id) {
    if (!id.endsWith('/@temporalio/proto/protos/json-module.js')) return null;
    const root = createRequire(import.meta.url)(id);
    if (!(root instanceof protobuf.Root)) throw new TypeError(`${id} is no root of protobuf`);
    for (const path of unspoken) {
      const part = root.lookup([...path]);
      if (part === null) throw new TypeError(`${id} has no ${path.join('.')}`);
      part.parent?.remove(part);
    }
    const definitions = JSON.stringify(JSON.stringify(root.toJSON().nested));
    return `const { Root } = require('protobufjs/light'); module.exports = new Root().addJSON(JSON.parse(${definitions}));`;
  },
};

/**
 * Letters beyond ASCII as escapes: of a text that has one V8 keeps every letter in two bytes, and takes twice the time
 * to read it.
 */
const onlyAscii: Plugin = {
  name: 'only-ascii',
  renderChunk(code, { fileName }) {
    // There an escape would be text, or another one's end.
    const [found] = /String\.raw`[^`]*?[^\0-\x7f`]|\\[^\0-\x7f]/.exec(code) ?? [];
    if (found !== undefined) throw new Error(`${fileName}: write ${JSON.stringify(found)} in ASCII`);
    return code.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
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
  // They load files, native ones among them, from where they lie.
  external: [/^@temporalio\/(?!client|common|envconfig|proto)/, 'node-ssh', 'pg', 'ssh2'],
  plugins: [lateBuiltins, spokenProtocol, onlyAscii],
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
        return members.has(id) || (i === 0 && shared.includes(id)) ? name : null;
      },
      priority: together.length - i,
    })),
  },
});
await program.close();
await chmod(join(folder, 'rotate.cjs'), 0o755);
