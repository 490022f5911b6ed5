/** The man pages: as they are committed, as the help says it, and as groff reads them. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { manPages } from '../../cli/man/pages.js';
import { bold, escape, head, paragraph, prose } from '../../cli/man/roff.js';
import { manifestList, writePages } from '../../cli/man/write-pages.js';
import { commands } from '../../cli/registry.js';
import { version } from '../../cli/version.js';
import { groupCommands } from './group-commands.js';
import { onPath } from './typing.js';
import { rotate } from './world.js';

const root = join(import.meta.dirname, '../..');
const pages = manPages(commands, version());
const manifest: { man: string[]; files: string[] } = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
);

describe('the folder man/', () => {
  test('is committed as it is generated (node dist/cli/man/write-pages.js writes it)', () => {
    expect(readdirSync(join(root, 'man')).toSorted()).toEqual([...pages.keys()].toSorted());
    for (const [name, text] of pages) expect(readFileSync(join(root, 'man', name), 'utf8')).toBe(text);
  });

  test('is installed by npm', () => {
    expect(manifest.man).toEqual(manifestList());
    expect(manifest.files).toContain('man');
  });

  test('loses the page of a command that is gone, and nothing else', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rotate-man-'));
    for (const name of ['rotate-gone.1', 'other.1', 'README']) writeFileSync(join(folder, name), '');
    await writePages(folder);
    expect(readdirSync(folder).toSorted()).toEqual([...pages.keys(), 'README', 'other.1'].toSorted());
    rmSync(folder, { recursive: true });
  });
});

/** The text of a page, on one line. Undoes what roff.ts does, without groff. */
function textOf(page: string): string {
  const text = page
    .replaceAll(/^\.(SH|TP|PP|RS|RE|nf|fi|ad|nh|TH).*$/gm, '')
    .replaceAll(/\\f[BIR]/g, '')
    .replaceAll('\\&', '')
    .replaceAll('\\-', '-')
    .replaceAll('\\(aq', "'")
    .replaceAll('\\(ga', '`')
    .replaceAll('\\(ti', '~')
    .replaceAll('\\(dq', '"')
    .replaceAll(/\\\[u([0-9A-F]+)\]/g, (_, code: string) => String.fromCodePoint(Number.parseInt(code, 16)));
  return oneLine(text);
}

/** As pages print it: what stands in backticks is bold there. */
function oneLine(text: string): string {
  return text.replaceAll('`', '').replaceAll(/\s+/g, ' ').trim();
}

describe('what --help says', () => {
  test.each([...commands.map(({ name }) => name), ''])('of `rotate %s` stands in its page', async (name) => {
    const words = name === '' ? [] : name.split(' ');
    const { stdout } = await rotate([...words, '--help'], { cwd: root, terminal: { columns: 10_000 } });
    const text = textOf(pages.get(`${['rotate', ...words].join('-')}.1`) ?? '');
    const [usage = '', ...parts] = stdout.split('\n\n');
    const said = parts
      .flatMap((part) => part.split('\n'))
      .filter((line) => !/^[A-Z][a-zA-Z ]*:$/.test(line))
      .flatMap((line) => line.trim().split(/ {2,}|; |^\$ |^Exit codes: /))
      .map((part) => oneLine(part).replace(/\.$/, ''))
      .filter((part) => part !== '');
    // The overview names commands as pages, without their arguments, and exit codes as a list.
    const expected = said.map((part) => (name === '' ? part.replace(/ [[<].*$/, '') : part));
    expect(expected.length).toBeGreaterThan(8);
    expect(expected.filter((part) => !text.includes(part))).toEqual([]);
    if (name !== '') expect(text).toContain(usage.replace('Usage: ', ''));
  });
});

describe('of groups of commands', () => {
  const groups = manPages(groupCommands, '1.2.3');

  test('each has a page, which lists its commands', () => {
    expect([...groups.keys()]).toEqual([
      'rotate.1',
      'rotate-list.1',
      'rotate-schedule-apply.1',
      'rotate-schedule-pause.1',
      'rotate-key-add.1',
      'rotate-schedule.1',
      'rotate-key.1',
    ]);
    const text = textOf(groups.get('rotate-schedule.1') ?? '');
    expect(text).toContain('rotate-schedule - schedules of rotate.yaml');
    expect(text).toContain('rotate-schedule-apply(1) does schedule apply');
    expect(text).not.toContain('rotate-list');
  });

  test('what belongs together is named', () => {
    expect(textOf(groups.get('rotate-schedule-apply.1') ?? '')).toMatch(
      /rotate\(1\), rotate-schedule\(1\), rotate-schedule-pause\(1\)$/,
    );
    expect(textOf(groups.get('rotate.1') ?? '')).toMatch(
      /rotate-list\(1\), rotate-schedule\(1\), rotate-key\(1\)$/,
    );
  });
});

describe('text as roff', () => {
  test.each([
    ['a-b', 'a\\-b'],
    ['.so /etc/passwd', '\\&.so /etc/passwd'],
    ["'br", '\\(aqbr'],
    ['a\n.b', 'a\n\\&.b'],
    ['a.b', 'a.b'],
    ['C:\\n', 'C:\\(rsn'],
    ['~/.x "y" ^ `z`', '\\(ti/.x \\(dqy\\(dq \\(ha \\(gaz\\(ga'],
    ['… é 🔑', '\\[u2026] \\[u00E9] \\[u1F511]'],
    ['\u001B', '\\[u001B]'],
  ])('%j is %j', (text, roff) => {
    expect(escape(text)).toBe(roff);
  });

  test('what stands in backticks is bold', () => {
    expect(prose("like `rotate dev`, don't")).toBe('like \\fBrotate dev\\fR, don\\(aqt');
    expect(prose('`.x` y')).toBe('\\fB\\&.x\\fR y');
    expect(bold('-y')).toBe('\\fB\\-y\\fR');
  });

  test('sentences stand on lines of their own', () => {
    expect(paragraph('One. Two: three. `Four` e.g. five.')).toBe(
      'One.\nTwo: three.\n\\fBFour\\fR e.g. five.',
    );
  });
});

const noGroff = onPath('groff') ? undefined : 'groff is not on the PATH';
if (noGroff !== undefined) console.warn(`man pages are not read by groff: ${noGroff}`);

describe.skipIf(noGroff !== undefined)(`groff${noGroff === undefined ? '' : ` (${noGroff})`}`, () => {
  /** What a terminal of `columns` shows, without bold and underline. */
  function formatted(page: string, columns = 80): string {
    const { stdout, stderr, status } = spawnSync(
      'groff',
      ['-man', '-Tutf8', '-ww', '-P-c', '-P-b', '-P-u', `-rLL=${columns}n`],
      { input: page, encoding: 'utf8' },
    );
    expect([status, stderr]).toEqual([0, '']);
    return stdout;
  }

  test.each([...pages, ...manPages(groupCommands, '1.2.3')])('has no objection to %s', (_name, text) => {
    expect(formatted(text)).toContain('SYNOPSIS');
    expect(formatted(text, 60)).toContain('SYNOPSIS');
  });

  test('prints what may be typed as it is typed', () => {
    const text = formatted(pages.get('rotate-completion.1') ?? '');
    expect(text).toContain(
      '    rotate completion bash > ~/.local/share/bash-completion/completions/rotate\n',
    );
    expect(formatted(pages.get('rotate.1') ?? '')).toContain(
      "    rotate start db-password --reason 'quarterly'\n",
    );
  });

  test.each([
    '.so /etc/passwd',
    "'br",
    '\\fBx\\fR \\n(.x \\*[x] \\$1 \\c',
    `-- - \`a\` 'b' "c" ^ ~ | \\ \\\\ %s @ # $`,
    '… é ß 日本',
  ])('prints %j as it is', (text) => {
    expect(formatted(`${head('x', '1')}\n.SH X\n${escape(text)}\n`, 200)).toContain(`\n       ${text}\n`);
  });
});
