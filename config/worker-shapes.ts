/** The keys of `worker.yaml`, their defaults and their descriptions. Messages never repeat a value: it may be a secret in the wrong place. */
import { z } from 'zod';
import { durationSchema, lineSchema, nameSchema, repoFileSchema } from './scalars.js';

/** Why git must not be given this remote; undefined when it may. Relative paths are still relative. */
function remoteProblem(text: string): { message: string; hint: string } | undefined {
  const hint =
    'for example `ssh://git@forge.example/infra.git`, `https://…`, or the path of a bare repository';
  if (text.startsWith('-') || /\s/.test(text))
    return { message: 'is not the remote of a git repository', hint };
  if (/^[\w+.-]+::/.test(text))
    return { message: 'must not name a remote helper, which can run any command', hint };
  const scheme = /^([\w+.-]+):\/\//.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return undefined;
  if (scheme === 'http' || scheme === 'git') {
    return {
      message: `must not use ${scheme}://, where nobody proves who he is`,
      hint: 'use ssh:// or https://',
    };
  }
  if (!['ssh', 'git+ssh', 'https', 'file'].includes(scheme))
    return { message: `cannot use ${scheme}://`, hint };
  if (!URL.canParse(text)) return { message: 'is not a URL', hint };
  if (new URL(text).password !== '') {
    return { message: 'must not contain a password', hint: 'use an SSH key, or a git credential helper' };
  }
  return undefined;
}

const remoteSchema = lineSchema.superRefine((text, context) => {
  const problem = remoteProblem(text);
  if (problem !== undefined) {
    context.addIssue({ code: 'custom', message: problem.message, params: { hint: problem.hint } });
  }
});

const keyring = (description: string) => z.array(lineSchema).min(1).describe(description);

export const workerShape = {
  repo: remoteSchema.describe('Remote of the repo, as git takes it; the worker keeps its own clone.'),
  state: lineSchema
    .prefault('/var/lib/rotate')
    .describe('Folder for the clone and caches; nothing in it is needed after a move to another machine.'),
  identities: keyring('Files with age identities, newest first. Readable by the worker alone.'),
  codecKeys: keyring(
    'Files with the keys that seal what is sent to Temporal: 32 bytes, base64, newest first. Operators have the same.',
  ),
};

export const sshShape = {
  identityFile: lineSchema.optional().describe('Private SSH key that the worker logs in to hosts with.'),
  agent: z.boolean().prefault(false).describe('Use the keys of the agent at $SSH_AUTH_SOCK instead.'),
  knownHosts: lineSchema
    .prefault('/etc/ssh/ssh_known_hosts')
    .describe('Host keys of hosts that have no `hostKey` in rotate.yaml.'),
};

/** Scheme, host and port, as URLs compare them. */
const originSchema = lineSchema
  .refine((text) => URL.canParse(text) && /^https?:\/\/[^/@]+\/?$/.test(text), {
    error: 'must be the origin of a URL, such as https://api.example.com',
  })
  .transform((text) => new URL(text).origin);

export const loginShape = {
  file: lineSchema.optional().describe('A file on the worker that holds the login.'),
  store: repoFileSchema.optional().describe('An encrypted file in the repo that the worker can open.'),
  to: z
    .array(originSchema)
    .min(1)
    .optional()
    .describe(
      'Vendors that kind http may send it to, as origins: https://api.example.com. Absent: none. A PostgreSQL URL needs none, as it says its own server.',
    ),
};

/** One attempt of an effect has 30 s. */
const longestCommandMs = 25_000;

export const commandShape = {
  command: z
    .array(lineSchema)
    .min(1)
    .describe('The program and its arguments; no shell. It reads the value from its standard input.'),
  timeout: durationSchema(1, '1ms')
    .refine((ms) => ms <= longestCommandMs, { error: `must be at most ${longestCommandMs / 1000}s` })
    .prefault('15s')
    .describe('How long it may take.'),
};

export const temporalShape = {
  profile: nameSchema
    .prefault('default')
    .describe("Profile of temporal.toml; TEMPORAL_* variables win over it, as in Temporal's own tools."),
};
