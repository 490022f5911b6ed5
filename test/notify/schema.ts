/** The published schema, as a check on what is really sent. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { expect } from 'vitest';

import schema from '../../schemas/notification.schema.json' with { type: 'json' };

const ajv = new Ajv2020({ strict: true, strictRequired: false, strictTypes: false, allErrors: true });
addFormats.default(ajv);
const validate = ajv.compile(schema);

/** Fails unless `text` is JSON that the schema allows, without a key that it does not name. */
export function expectNotification(text: string): void {
  const value: unknown = JSON.parse(text);
  const valid = validate(value);
  expect([valid, validate.errors ?? []]).toEqual([true, []]);
  expect(Object.keys(Object(value)).filter((key) => !Object.hasOwn(schema.properties, key))).toEqual([]);
}

export { schema };
