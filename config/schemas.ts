/** The files as a whole, as JSON schemas for editors. The readers check more: names that must exist, files used twice. */
import { z } from 'zod';
import { webhookShape } from './notify-shapes.js';
import { type KindRegistry, kindRegistry } from './registries.js';
import {
  budgetShape,
  consumerShape,
  environmentShape,
  hostShape,
  policyShape,
  probeShape,
  repoShape,
  secretShape,
  versionSchema,
} from './rotate-shapes.js';
import { namePattern } from './scalars.js';
import { calendarShape, freezeShape, scheduleShape, windowShape } from './schedule-shapes.js';
import { commandShape, loginShape, sshShape, temporalShape, workerShape } from './worker-shapes.js';

const keySchema = z.string().meta({ pattern: namePattern.source });

function byName<T extends z.ZodType>(schema: T, description: string) {
  return z.record(keySchema, schema).optional().describe(description);
}

function exactlyOne(...keys: string[]): { oneOf: { required: string[] }[] } {
  return { oneOf: keys.map((key) => ({ required: [key] })) };
}

function rotateFile(kinds: KindRegistry) {
  const blocks = Object.fromEntries(
    [...kinds.values()].map(({ id, schema }) => [
      id,
      schema.optional().describe(`Settings of the kind ${id}.`),
    ]),
  );
  const secret = z.strictObject({
    ...secretShape,
    kind: z
      .enum([...kinds.keys()])
      .describe('Type of the credential; its settings are in the block of the same name.'),
    ...blocks,
    consumers: z
      .array(z.strictObject(consumerShape))
      .optional()
      .describe(
        'Who reads the secret. A host that installs the file without a unit that reads it is not listed.',
      ),
    verify: z
      .array(z.strictObject(probeShape).meta(exactlyOne('http', 'tcp', 'command')))
      .optional()
      .describe('Probes of your own, run for each consumer host with the new value in place.'),
  });
  const policy = z.strictObject({
    ...policyShape,
    budgets: z.strictObject(budgetShape).optional().describe('How long each kind of work is tried again.'),
  });
  return z.strictObject({
    version: versionSchema,
    repo: z.strictObject(repoShape).optional().describe('The repo that this file is in.'),
    environments: byName(z.strictObject(environmentShape), 'Environments, by name.'),
    hosts: byName(z.strictObject(hostShape), 'Machines of the fleet, by name.'),
    secrets: byName(z.record(keySchema, secret), 'Secrets, by environment and name.'),
    schedules: byName(schedule, 'When secrets are rotated by themselves, by name.'),
    freezes: z
      .array(z.strictObject(freezeShape))
      .optional()
      .describe('Days and times in which no schedule starts anything.'),
    policies: byName(policy, 'How careful a rotation is, by name. `careful` is built in.'),
  });
}

const schedule = z
  .strictObject({
    ...scheduleShape,
    calendar: z
      .strictObject(calendarShape)
      .optional()
      .describe('Instead of `every`: the times at which secrets are due, and at which they start.'),
    window: z
      .strictObject(windowShape)
      .optional()
      .describe('With `every`: when a rotation may start. Default: at any time.'),
  })
  .meta({ ...exactlyOne('every', 'calendar'), dependencies: { window: ['every'] } });

const channel = z.strictObject({
  webhook: z
    .strictObject(webhookShape)
    .meta(exactlyOne('url', 'urlFile'))
    .describe('Posts each notification to a URL, signed.'),
});

const workerFile = z.strictObject({
  version: versionSchema,
  ...workerShape,
  ssh: z
    .strictObject(sshShape)
    .meta(exactlyOne('identityFile', 'agent'))
    .describe('How the worker logs in to hosts.'),
  logins: byName(z.strictObject(loginShape).meta(exactlyOne('file', 'store')), 'Admin logins, by name.'),
  commands: byName(
    z.strictObject(commandShape),
    'Programs on the worker that rotate.yaml may name (`on: worker`), by name.',
  ),
  temporal: z.strictObject(temporalShape).optional().describe('How Temporal is reached.'),
  notify: z
    .strictObject({ channels: byName(channel, 'Who is told, by name.') })
    .optional()
    .describe('Who is told what happens to rotations.'),
});

/** Names of the files in schemas/ and their JSON schemas (draft 7, which editors know). */
export function jsonSchemas(kinds: KindRegistry = kindRegistry): Record<string, unknown> {
  const convert = (schema: z.ZodType, title: string): unknown => ({
    ...z.toJSONSchema(schema, { target: 'draft-7', io: 'input', reused: 'inline', unrepresentable: 'any' }),
    title,
  });
  return {
    'rotate.schema.json': convert(rotateFile(kinds), 'rotate.yaml: what is rotated and how'),
    'worker.schema.json': convert(workerFile, 'worker.yaml: with what the worker works'),
  };
}

/** The text of a file in schemas/. */
export function schemaText(schema: unknown): string {
  return `${JSON.stringify(schema, null, 2)}\n`;
}
