/** Options of every command. */
import type { OptionSpec } from './command.js';

export const globalOptions: readonly OptionSpec[] = [
  {
    flags: '--config <file>',
    description: 'rotate.yaml (default: searched upward from here)',
    completes: 'file',
  },
  {
    flags: '--codec-key <file>',
    description: "the worker's codec key (default: $ROTATE_CODEC_KEY_FILE, or what `rotate dev` made)",
    repeats: true,
    completes: 'file',
  },
  { flags: '--env <name>', description: 'the environment', completes: 'environment' },
  { flags: '--json', description: 'print JSON on stdout' },
  { flags: '--debug', description: 'print the stack trace of an error' },
  { flags: '--no-color', description: 'no colour; so does NO_COLOR' },
  {
    flags: '--plain',
    description: 'progress as lines, one after the other, for screen readers; so does ROTATE_PLAIN=1',
  },
];

export const versionOption: OptionSpec = { flags: '-V, --version', description: 'print the version' };

export const helpOption: OptionSpec = { flags: '-h, --help', description: 'print help' };
