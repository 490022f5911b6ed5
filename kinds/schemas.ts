/** The settings of each kind, for reading `rotate.yaml`: light, no kind is loaded. */
import type { z } from 'zod';
import { httpSchema } from './http/schema.js';
import { manualSchema } from './manual/schema.js';
import { postgresSchema } from './postgres/schema.js';
import { tokenSchema } from './token/schema.js';

/** By the kind's id, which is also the name of the block in `rotate.yaml`. */
export const kindSchemas: ReadonlyMap<string, z.ZodType> = new Map<string, z.ZodType>([
  ['http', httpSchema],
  ['manual', manualSchema],
  ['postgres', postgresSchema],
  ['token', tokenSchema],
]);
