/**
 * The keys of `rotate.yaml`, their defaults and their descriptions: the one place
 * that says so, for the reader, for the JSON schema and for docs/configuration.md.
 */
import { z } from 'zod';
import { formatSchema } from '../stores/schema.js';
import {
  addressSchema,
  branchSchema,
  hostPortSchema,
  httpUrlSchema,
  portSchema,
  unitSchema,
  userSchema,
} from './addresses.js';
import { hostKeySchema } from './host-key.js';
import { durationSchema, lineSchema, nameSchema, repoFileSchema, repoFolderSchema } from './scalars.js';
import { ageSchema } from './schedule-shapes.js';

/** The policy of secrets that name none; built in, and replaced by a declared one of that name. */
export const defaultPolicyName = 'careful';

export const versionSchema = z
  .literal(1, { error: 'must be 1, the only version that this rotate reads' })
  .describe('Version of the format of this file.');

export const repoShape = {
  branch: branchSchema.prefault('main').describe('The branch that hosts are built from.'),
  flake: repoFolderSchema.prefault('.').describe('Folder of flake.nix, relative to the root of the repo.'),
};

export const environmentShape = {
  store: z.enum(['agenix', 'sops']).describe('Where the ciphertexts live.'),
  rules: repoFileSchema
    .optional()
    .describe(
      'agenix only: the rules file, relative to the root of the repo. sops finds .sops.yaml by itself.',
    ),
  policy: nameSchema.prefault(defaultPolicyName).describe('Policy of secrets that name none themselves.'),
};

export const hostShape = {
  environment: nameSchema.describe('The environment that the host belongs to.'),
  address: addressSchema
    .optional()
    .describe('Host name or IP address for SSH. Default: the name of the host.'),
  port: portSchema.prefault(22).describe('Port of sshd.'),
  user: userSchema.prefault('root').describe('Login for SSH.'),
  sudo: z.boolean().prefault(false).describe('Reach root through `sudo -n`, where the login is not root.'),
  hostKey: hostKeySchema
    .optional()
    .describe(
      "The host's public key, `ssh-ed25519 AAAA…`. Without it the worker's known_hosts must have the key.",
    ),
  configuration: z
    .string()
    .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]*$/, { error: 'must be the name of a nixosConfiguration' })
    .optional()
    .describe('nixosConfigurations.<…> of the flake. Default: the name of the host.'),
  build: nameSchema
    .prefault('worker')
    .describe('Where its system is built: `worker`, or the name of a host (`nixos-rebuild --build-host`).'),
  tags: z
    .array(nameSchema)
    .prefault([])
    .describe('Names for groups of hosts; `@web` means all hosts with the tag web.'),
};

/** A host's name, or a tag behind `@`. */
export const hostRefSchema = z.string().regex(/^@?[A-Za-z0-9][A-Za-z0-9._-]*$/, {
  error: 'must be the name of a host, or `@` and a tag',
});

export const consumerShape = {
  hosts: z
    .array(hostRefSchema)
    .min(1)
    .describe('Names of hosts, or `@tag` for all of the environment with that tag.'),
  units: z
    .array(unitSchema)
    .min(1)
    .describe('Units that read the secret, in the order in which they are restarted.'),
  action: z
    .enum(['restart', 'reload', 'none'])
    .prefault('restart')
    .describe('What makes the units use the new value; `none`: they read the file for each login.'),
};

const status = z
  .int({ error: 'must be an HTTP status' })
  .min(100, 'must be an HTTP status, 100 to 599')
  .max(599, 'must be an HTTP status, 100 to 599');

export const probeShape = {
  http: z
    .union([
      httpUrlSchema,
      z.strictObject({
        url: httpUrlSchema.describe('What is asked for.'),
        status: status.prefault(200).describe('The expected status.'),
      }),
    ])
    .optional()
    .describe('A URL that must answer 200, or `{ url, status }`.'),
  tcp: hostPortSchema.optional().describe('`host:port` that must accept a connection.'),
  command: z
    .union([lineSchema, z.array(lineSchema).min(1)])
    .optional()
    .describe('A command that must exit with 0: a list of arguments, or a text for /bin/sh.'),
  timeout: durationSchema(1, '1ms').optional().describe('How long the command may take. Default: 30s.'),
};

/** Keys of every secret; the block of its kind comes beside them. */
export const secretShape = {
  kind: nameSchema.describe('Type of the credential; its settings are in the block of the same name.'),
  file: repoFileSchema.describe('The ciphertext, relative to the root of the repo.'),
  format: z
    .union(formatSchema.options, {
      error:
        'must be `raw`, `{ env: VARIABLE }`, `{ json: PATH }` or `{ yaml: PATH }`, with or without a `template`',
    })
    .prefault('raw')
    .describe(
      'How the credential stands in its file. `template`, with `{role}` and `{password}`, renders it.',
    ),
  policy: nameSchema.optional().describe('Default: the policy of the environment.'),
  tags: z.array(nameSchema).prefault([]).describe('Names for groups of secrets, for `rotate start --tag`.'),
  after: z
    .array(nameSchema)
    .prefault([])
    .describe(
      'Secrets of the same environment that are rotated before this one (a CA before what it signs).',
    ),
  maxAge: ageSchema()
    .optional()
    .describe('How old the value may become, counted from the last rotation that succeeded.'),
  warnBefore: durationSchema()
    .optional()
    .describe('How long before `maxAge` it counts as due soon. Default: 14d.'),
};

const waveError = { error: 'must be a number of hosts, or a percentage such as `25%`' };
const waveSchema = z.union(
  [z.int(waveError).min(1, waveError), z.string().regex(/^([1-9]\d?|100)%$/, waveError)],
  waveError,
);

const count = (min: number, error: string) => z.int({ error }).min(min, error).max(10_000, error);
const budget = (text: string, description: string) =>
  durationSchema(1000, '1s').prefault(text).describe(description);

export const budgetShape = {
  apply: budget('15m', 'Calls to the issuer; then the rotation is undone, or parks when it is an undo.'),
  repo: budget('15m', 'Encrypting, pushing and merging.'),
  converge: budget('45m', 'The switch of a host, with its reconnects.'),
  undo: budget('30m', 'An undo on a host or in the repo; then the rotation parks.'),
  drain: budget('5m', 'Waiting for users of the old value; then the rotation parks.'),
};

export const policyShape = {
  canary: z
    .array(hostRefSchema)
    .prefault([])
    .describe('Hosts of the first wave, where they hold the secret.'),
  waves: z
    .array(waveSchema)
    .min(1)
    .prefault([1, '25%', '100%'])
    .describe(
      'Sizes of the waves after the canary: a number of hosts, or the percentage of all that is reached with the wave; the last takes what is left.',
    ),
  parallel: count(1, 'must be a whole number, 1 or more')
    .prefault(10)
    .describe('Hosts at once, over all waves.'),
  maxFailures: count(0, 'must be a whole number, 0 or more')
    .prefault(0)
    .describe('Hosts that may fail before the rotation is undone.'),
  stable: durationSchema().prefault('5s').describe('How long a unit must stay active to count as healthy.'),
  soak: durationSchema()
    .prefault('10m')
    .describe('How long the checks go on before the old value is revoked.'),
  proveAgain: durationSchema()
    .prefault('60s')
    .describe('Delay of the second proof that the old value is refused, before the rotation is done.'),
  deadMan: durationSchema(1000, '1s')
    .prefault('60s')
    .describe('A host that is not reached again so long after its switch puts itself back.'),
};
