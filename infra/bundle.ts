/** Bundles a program: itself and most of its packages in few files of CommonJS, which Node loads fastest. */
import { rolldown } from 'rolldown';

export interface BundleOptions {
  /** Compiled files, by the name that each gets. */
  input: Readonly<Record<string, string>>;
  /** Where the packages that are not bundled are found from. */
  folder: string;
  /** Expressions, by the identifier that each replaces. */
  define?: Readonly<Record<string, string>>;
}

export async function bundle({ input, folder, define = {} }: BundleOptions): Promise<void> {
  const graph = await rolldown({
    input: { ...input },
    platform: 'node',
    // A module that one command loads late is loaded at once by another; that is meant.
    checks: { ineffectiveDynamicImport: false },
    transform: { define: { ...define } },
    // They load files, native ones among them, from where they lie.
    external: [/^@temporalio\//, 'node-ssh', 'pg', 'protobufjs', 'ssh2'],
  });
  await graph.write({
    dir: folder,
    // Node's cache of compiled code helps CommonJS more.
    format: 'cjs',
    entryFileNames: '[name].cjs',
    chunkFileNames: '[name].cjs',
  });
  await graph.close();
}
