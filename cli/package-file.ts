/** Files that come with the program: beside the sources, or above dist/. */
import { existsSync } from 'node:fs';

/** @param name relative to the root of the package */
export function packageFile(name: string): URL | undefined {
  return ['..', '../..']
    .map((up) => new URL(`${up}/${name}`, import.meta.url))
    .find((url) => existsSync(url));
}
