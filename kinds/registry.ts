/** Every kind, by its id. A test walks the folder and proves that each is here and in schemas.ts. */
import { http } from './http/kind.js';
import { httpSchema } from './http/schema.js';
import type { Kind } from './kind.js';
import { manual } from './manual/kind.js';
import { manualSchema } from './manual/schema.js';
import { postgres } from './postgres/kind.js';
import { postgresSchema } from './postgres/schema.js';
import { parsing } from './parsing.js';
import { token } from './token/kind.js';
import { tokenSchema } from './token/schema.js';

/** Kinds that read their settings themselves: {@link SecretSpec.settings} as it stands can be handed to them. */
export const kinds: ReadonlyMap<string, Kind<unknown>> = new Map([
  ['http', parsing(http, httpSchema)],
  ['manual', parsing(manual, manualSchema)],
  ['postgres', parsing(postgres, postgresSchema)],
  ['token', parsing(token, tokenSchema)],
]);
