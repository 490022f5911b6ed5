/** rotate(1): what is true of all commands. */
import { branchesAt, type Branch } from '../command-tree.js';
import type { CommandSpec, Example } from '../command.js';
import { exitCodeMeanings } from '../exit-codes.js';
import { globalOptions, helpOption, versionOption } from '../global-options.js';
import { programDescription } from '../program.js';
import { commandItem, examplesSection, optionItem, page, pageName, reference } from './command-page.js';
import { bold, head, italic, item, paragraph, prose, section } from './roff.js';

const description = [
  programDescription,
  'What is rotated, and how, stands in `rotate.yaml` at the root of the repo that the fleet is built from. Each rotation is carried by Temporal and by a worker, so that a crash or a lost connection leaves no half-rotated secret behind: it goes on, or is undone.',
  'Data goes to stdout, everything else to stderr. `--json` makes every command that prints data print JSON. Without a terminal there is no question and no colour.',
];

const environment: readonly (readonly [string, string])[] = [
  [
    'ROTATE_CODEC_KEY_FILE',
    'The key that the worker and its operators share; several files with `:` between them. `--codec-key` wins over it.',
  ],
  ['ROTATE_WORKER_CONFIG', 'The configuration of `rotate worker`. `--config` wins over it.'],
  ['TEMPORAL_ADDRESS', 'Where Temporal is: host and port.'],
  ['TEMPORAL_NAMESPACE', 'The namespace to use there.'],
  [
    'TEMPORAL_PROFILE',
    'The profile of temporal.toml. Without it and without an address, a running `rotate dev` for the same repo is used.',
  ],
  [
    'TEMPORAL_CONFIG_FILE',
    'Path of temporal.toml. TEMPORAL_API_KEY and TEMPORAL_TLS_* are read too, as by every tool of Temporal.',
  ],
  ['XDG_STATE_HOME', 'Where `rotate dev` keeps what it makes. By default ~/.local/state.'],
  ['NO_COLOR', 'No colour, whatever its value.'],
  ['ROTATE_PLAIN', 'With 1: lines, one after the other, instead of a drawing or a table; as --plain.'],
];

const files: readonly (readonly [string, string])[] = [
  ['rotate.yaml', 'In the repo: what is rotated, and how.'],
  ['/etc/rotate/worker.yaml', "The worker's own configuration: what it may, and with which keys."],
  ['~/.config/temporalio/temporal.toml', 'How to reach Temporal.'],
  ['~/.local/state/rotate', 'Keys and state that `rotate dev` has made, a folder for each repo.'],
];

export const overviewExamples: readonly Example[] = [
  { command: 'rotate doctor', does: 'Is everything there that a rotation needs' },
  { command: 'rotate plan db-password', does: 'What would happen' },
  {
    command: "rotate start db-password --reason 'quarterly'",
    does: 'Show the plan, ask, rotate, and follow it',
  },
  { command: 'rotate rollback 01JD', does: 'Undo one that has not ended, by the beginning of its id' },
];

export function overviewPage(commands: readonly CommandSpec[], version: string): string {
  const pages = branchesAt(commands, []).map(({ word }) => pageName(word));
  return page(
    head('rotate', version),
    section('NAME', 'rotate \\- rotate the secrets of a NixOS fleet'),
    section(
      'SYNOPSIS',
      `${bold('rotate')} [${italic('options')}] ${italic('command')} [${italic('argument')}...]`,
    ),
    section('DESCRIPTION', description.map(paragraph).join('\n.PP\n')),
    section('COMMANDS', ...branchesAt(commands, []).flatMap((branch) => itemsOf(branch, commands))),
    section('OPTIONS', ...[...globalOptions, versionOption, helpOption].map(optionItem)),
    section(
      'EXIT STATUS',
      ...exitCodeMeanings.map(([code, meaning]) => item(bold(String(code)), prose(meaning))),
    ),
    section('ENVIRONMENT', ...environment.map(([name, text]) => item(bold(name), paragraph(text)))),
    section('FILES', ...files.map(([path, text]) => item(italic(path), paragraph(text)))),
    examplesSection(overviewExamples),
    section('SEE ALSO', pages.map(reference).join(', ')),
  );
}

/** A command, or what a group is for and its commands. */
function itemsOf({ word, summary, command }: Branch, commands: readonly CommandSpec[]): string[] {
  if (command !== undefined) return [commandItem(command)];
  const inside = commands.filter(({ name }) => name.startsWith(`${word} `));
  return [item(reference(pageName(word)), prose(summary)), ...inside.map(commandItem)];
}
