/** `rotate completion`: a script that makes a shell complete. */
import type { CommandSpec } from '../command.js';
import { exitCodes } from '../exit-codes.js';

/** By the shell, files of completions/. */
const scripts: ReadonlyMap<string, string> = new Map([
  ['bash', 'rotate.bash'],
  ['zsh', '_rotate'],
  ['fish', 'rotate.fish'],
]);

export const completionCommand: CommandSpec = {
  name: 'completion',
  summary: 'print a completion script',
  description:
    'Prints a script for your shell that completes commands, options, secrets, hosts, environments and ids of rotations. It asks rotate itself at each Tab, so it stays right when rotate or rotate.yaml changes. For zsh the folder must be in fpath before compinit is called.',
  arguments: [{ name: 'shell', description: 'the shell that you use', values: [...scripts.keys()] }],
  options: [],
  examples: [
    { command: 'source <(rotate completion bash)', does: 'bash: this line in ~/.bashrc' },
    {
      command: 'rotate completion bash > ~/.local/share/bash-completion/completions/rotate',
      does: 'bash with the bash-completion package: once',
    },
    { command: 'rotate completion zsh > ~/.zfunc/_rotate', does: 'zsh: once, with ~/.zfunc in fpath' },
    { command: 'source <(rotate completion zsh)', does: 'or this line in ~/.zshrc, after compinit' },
    {
      command: 'rotate completion fish > ~/.config/fish/completions/rotate.fish',
      does: 'fish: once',
    },
  ],
  run: async ({ context, args }) => {
    const [{ readFile }, { packageFile }, { RotateError }] = await Promise.all([
      import('node:fs/promises'),
      import('../package-file.js'),
      import('../../domain/failure.js'),
    ]);
    const name = scripts.get(args[0] ?? '') ?? '';
    const file = packageFile(`completions/${name}`);
    if (file === undefined)
      throw new RotateError('Internal', `completions/${name} is not beside the program`, {
        hint: 'install rotate again, whole',
      });
    context.stdout.write(await readFile(file, 'utf8'));
    return exitCodes.done;
  },
};
