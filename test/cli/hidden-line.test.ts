/** Typing what must not be shown, at a real terminal. */
import { fileURLToPath } from 'node:url';

import { describe, expect, test } from 'vitest';

import { startOnTerminal } from '../support/pseudo-terminal.js';

const pathOf = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** Asks twice, after a question of the plain sort, and says in hexadecimal what it got. */
const program = `
import { makeInput } from ${JSON.stringify(pathOf('../../cli/input.ts'))};
const input = makeInput(process.stdin);
const abort = new AbortController();
const hex = (bytes) => (bytes === undefined ? 'end' : Buffer.from(bytes).toString('hex') || 'empty');
process.stdout.write('ready? ');
await input.readLine(abort.signal);
await input.withHidden(abort.signal, (text) => process.stdout.write(text), async (ask) => {
  for (const name of ['first', 'second']) {
    const bytes = await ask(name + '? ').catch((error) => error.type);
    process.stdout.write((typeof bytes === 'string' ? bytes : hex(bytes)) + '\\n');
    if (typeof bytes === 'string') break;
  }
});
process.stdout.write('last? ');
await input.readLine(abort.signal);
`;

/** Types each when its prompt is there; all that the terminal showed after the first prompt. */
async function typeAtTerminal(...typed: [prompt: string, keys: string][]): Promise<string> {
  const command = [process.execPath, '--import', pathOf('../support/resolve-sources.mjs')];
  const terminal = startOnTerminal(
    [...command, '--input-type=module', '--eval', program],
    { columns: 80, rows: 24 },
    { cwd: process.cwd(), env: process.env },
  );
  for (const [prompt, keys] of typed) {
    await terminal.until((raw) => raw.endsWith(prompt));
    terminal.type(keys);
  }
  await terminal.ended;
  return terminal.raw().replaceAll('\r', '');
}

describe('a hidden line', () => {
  test.each([
    ['as it was typed', 's3 cr\tt=\n', hex('s3 cr\tt=')],
    ['of several bytes a character', 'pä€😀\n', hex('pä€😀')],
    ['with corrections', 'pä\u007F\u007F€\u007Fok\u0008K\r', hex('oK')],
    ['begun anew', 'wrong\u0015right\n', hex('right')],
    ['that ends the input', '\u0004', 'end'],
    ['that is empty', '\n', 'empty'],
  ])('%s', async (_, keys, expected) => {
    const shown = await typeAtTerminal(
      ['ready? ', 'y\n'],
      ['first? ', keys],
      ['second? ', 'x\n'],
      ['last? ', 'z\n'],
    );
    expect(shown).toBe(`ready? y\nfirst? \n${expected}\nsecond? \n${hex('x')}\nlast? z\n`);
  });

  test('leaves what was pasted behind it to the next one', async () => {
    const shown = await typeAtTerminal(['ready? ', 'y\n'], ['first? ', 'one\ntwo\n'], ['last? ', 'z\n']);
    expect(shown).toBe(`ready? y\nfirst? \n${hex('one')}\nsecond? \n${hex('two')}\nlast? z\n`);
  });

  test('is given up with Ctrl-C, and the terminal shows again what is typed', async () => {
    const shown = await typeAtTerminal(['ready? ', 'y\n'], ['first? ', 'ab\u0003'], ['last? ', 'z\n']);
    expect(shown).toBe('ready? y\nfirst? \nInterrupted\nlast? z\n');
  });
});

function hex(text: string): string {
  return Buffer.from(text).toString('hex');
}
