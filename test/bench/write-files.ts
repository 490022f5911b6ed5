/**
 * `node write-files.js ROOT IDENTITY`: opens every file that the rules name and writes it anew, with the agenix store.
 * Given new texts on stdin, a line of NAME, tab and text for each file, it writes these.
 */
import { readFile } from 'node:fs/promises';
import { enableCompileCache } from 'node:module';
import { text } from 'node:stream/consumers';

// As the command line does.
enableCompileCache();
const [{ SecretValue }, { parseIdentities }, { agenixStore }] = await Promise.all([
  import('../../domain/secret-value.js'),
  import('../../stores/age/identity.js'),
  import('../../stores/agenix/agenix.js'),
]);

const [root = '', identity = ''] = process.argv.slice(2);
/** While one waits for the disk, another is encrypted. */
const atOnce = 8;

const store = agenixStore({ root, rules: 'secrets.nix' });
const rules = store.recipients();
const keyring = await parseIdentities(await readFile(identity, 'utf8'), identity);
const texts = new Map(
  (await text(process.stdin))
    .split('\n')
    .filter((line) => line !== '')
    .map((line): [string, string] => {
      const [name = '', value = ''] = line.split('\t');
      return [name, `${value}\n`];
    }),
);
const paths = texts.size > 0 ? [...texts.keys()] : [...(await rules).keys()];

async function lane(): Promise<void> {
  for (let path = paths.pop(); path !== undefined; path = paths.pop()) {
    const given = texts.get(path);
    const value = given === undefined ? (await store.read(path, keyring)).value : SecretValue.fromText(given);
    await store.write(path, value);
  }
}
await Promise.all(Array.from({ length: atOnce }, lane));
