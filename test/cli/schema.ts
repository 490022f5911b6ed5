/** The published schema, as a check on what commands really print. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { expect } from 'vitest';

import schema from '../../schemas/output.schema.json' with { type: 'json' };

const ajv = new Ajv2020({ strict: true, allErrors: true });
addFormats.default(ajv);
ajv.addSchema(schema);

export type Output =
  | 'status'
  | 'statusList'
  | 'detached'
  | 'rotationList'
  | 'detachedList'
  | 'event'
  | 'plan'
  | 'planList'
  | 'list'
  | 'history'
  | 'explanation'
  | 'init'
  | 'doctor'
  | 'scheduleList'
  | 'scheduleChanges'
  | 'scheduleSaid'
  | 'notifyTest'
  | 'error';

/** Fails unless `text` is JSON that the schema's definition allows. */
export function expectOutput(text: string, output: Output): void {
  const validate = ajv.getSchema(`${schema.$id}#/$defs/${output}`);
  if (validate === undefined) throw new Error(`the schema has no ${output}`);
  const valid = validate(JSON.parse(text));
  expect([valid, validate.errors ?? []]).toEqual([true, []]);
}
