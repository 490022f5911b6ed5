/** `rotate init`: the first rotate.yaml of a repo. */
import type { CommandSpec } from '../command.js';

export const initCommand: CommandSpec = {
  name: 'init',
  summary: 'write a first rotate.yaml',
  description:
    'Writes rotate.yaml at the root of the repo that you stand in, with its environments, its hosts and a first secret. Asks for what no option says; without a terminal every answer has to be given by an option. `--env` names the environment here, several with commas between them. Host keys are taken from the rules file or from known_hosts, never from the network. An existing file is left alone.',
  arguments: [],
  options: [
    {
      flags: '--store <name>',
      description: 'where ciphertexts live; sops comes later',
      values: ['agenix', 'sops'],
    },
    {
      flags: '--rules <path>',
      description: 'the rules file, or ENV=PATH where environments have one each',
      repeats: true,
      completes: 'file',
    },
    { flags: '--branch <name>', description: 'the branch that hosts are built from (default: main)' },
    {
      flags: '--flake <folder>',
      description: 'the folder of flake.nix (default: the root)',
      completes: 'file',
    },
    {
      flags: '--host <spec>',
      description:
        'a host, as NAME, NAME=ADDRESS or NAME=USER@ADDRESS:PORT, with ENV/ before it where there are several; who is not root uses `sudo -n`',
      repeats: true,
    },
    {
      flags: '--host-key <spec>',
      description: 'its key, as NAME=KEY, where neither the rules nor known_hosts have it',
      repeats: true,
    },
    {
      flags: '--secret <name>',
      description: 'the first secret, with ENV/ before it where there are several',
    },
    {
      flags: '--kind <kind>',
      description: 'its kind',
      values: ['http', 'manual', 'postgres', 'token'],
    },
    {
      flags: '--set <setting>',
      description:
        'a setting of its kind, as KEY=VALUE, such as `roles=app_a,app_b`; the keys are those of docs/kinds',
      repeats: true,
    },
    { flags: '--file <path>', description: 'its file, from the root of the repo', completes: 'file' },
    {
      flags: '--format <format>',
      description: 'raw, env:VARIABLE, json:KEY.KEY or yaml:KEY.KEY (default: raw)',
    },
    { flags: '--template <text>', description: 'what it looks like there, with {role} and {password}' },
    {
      flags: '--list <text>',
      description: 'the text between values, where older ones stay behind the new one',
    },
    {
      flags: '--consumer <spec>',
      description: 'hosts and the units on them that read it, as HOST,HOST=UNIT,UNIT',
      repeats: true,
    },
    {
      flags: '--action <action>',
      description: 'what makes these units use a new value (default: restart)',
      values: ['restart', 'reload', 'none'],
    },
    { flags: '--print', description: 'print the file instead of writing it' },
    { flags: '--force', description: 'replace an existing file, after showing the difference' },
    { flags: '-y, --yes', description: 'with --force: do not ask' },
  ],
  examples: [
    { command: 'rotate init', does: 'ask for everything, and write rotate.yaml' },
    { command: 'rotate init --print', does: 'only show what would be written' },
    {
      command:
        "rotate init --env prod --rules secrets/prod/secrets.nix --host db-1=10.0.0.5 --host web-1=deploy@10.0.0.11 --secret db-password --kind postgres --set roles=app_a,app_b --set owner=app --set database=app --set admin=postgres@db-1 --set endpoints=db-1:5432 --file secrets/prod/db-password.age --format env:DATABASE_URL --template 'postgresql://{role}:{password}@db-1:5432/app' --consumer web-1=app.service",
      does: 'without a question, for scripts',
    },
    {
      command:
        'rotate init --env prod --rules secrets/secrets.nix --host web-1 --secret session --kind token --file secrets/session.age --consumer web-1=app.service',
      does: 'a token: the least that has to be said',
    },
  ],
  run: async (invocation) => {
    const { init } = await import('../init/run.js');
    return init(invocation);
  },
};
