/** `rotate explain`: a secret, for a person on call who has not seen it before. */
import type { CommandSpec } from '../command.js';

export const explainCommand: CommandSpec = {
  name: 'explain',
  summary: 'explain a secret: where it is used, how it is rotated and killed',
  description:
    'For a person on call: what the secret is, where it is used, how it is rotated, how it is killed and what that breaks, its schedules and last rotations, and which commands to type. Comes from rotate.yaml and the log branch; a worker that answers within 2 s adds recipients, holders and what is under way. Changes nothing.',
  arguments: [{ name: 'secret', description: 'its name, or environment/name', completes: 'secret' }],
  options: [
    {
      flags: '--offline',
      description: 'ask neither the remote nor a worker: rotate.yaml and the clone are enough',
    },
  ],
  examples: [
    { command: 'rotate explain db-password', does: 'for reading' },
    { command: 'rotate explain prod/db-password --offline', does: 'without network' },
    { command: 'rotate explain db-password --json', does: 'for scripts' },
  ],
  run: async (invocation) => {
    const { explain } = await import('../explain/run.js');
    return explain(invocation);
  },
};
