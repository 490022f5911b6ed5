/** `node write-files.js ROOT IDENTITY`: opens every file that the rules name and writes it anew, with the agenix store. */
import { readFile } from 'node:fs/promises';
import { enableCompileCache } from 'node:module';

// As the command line does.
enableCompileCache();
const { parseIdentities } = await import('../../stores/age/identity.js');
const { agenixStore } = await import('../../stores/agenix/agenix.js');

const [root = '', identity = ''] = process.argv.slice(2);
/** While one waits for the disk, another is encrypted. */
const atOnce = 8;

const keyring = await parseIdentities(await readFile(identity, 'utf8'), identity);
const store = agenixStore({ root, rules: 'secrets.nix' });
const paths = [...(await store.recipients()).keys()];

async function lane(): Promise<void> {
  for (let path = paths.pop(); path !== undefined; path = paths.pop()) {
    const { value } = await store.read(path, keyring);
    await store.write(path, value);
  }
}
await Promise.all(Array.from({ length: atOnce }, lane));
