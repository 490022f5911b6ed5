/** What configuration asks of the kinds, so that it knows none of them by name; and those that there are. */
import type { z } from 'zod';
import { httpSchema, needsAccount } from '../kinds/http/schema.js';
import { hostsNamed, manualSchema } from '../kinds/manual/schema.js';
import { postgresSchema } from '../kinds/postgres/schema.js';
import { tokenSchema } from '../kinds/token/schema.js';
import type { KeyPath } from './problem.js';

/** What other parts of the file have to know of a kind's settings. */
export interface KindFacts {
  /** Whether the file has to say which account a value belongs to. */
  needsAccount: boolean;
  /** How the settings could do without that, for a hint. */
  withoutAccount?: string;
  /** Whether the file lists older values behind the one in use. */
  list: boolean;
  /** Hosts of the fleet that the settings name, with the place inside the block. */
  hosts: readonly { path: KeyPath; name: string }[];
}

/** A kind as `rotate.yaml` sees it. */
export interface KindEntry {
  readonly id: string;
  /** Of the block named as the kind. */
  readonly schema: z.ZodType;
  /** Undefined when `block`, as it stands in the file, is wrong. */
  facts(block: unknown): KindFacts | undefined;
}

export type KindRegistry = ReadonlyMap<string, KindEntry>;

/** An entry from a kind's schema and what it says of settings that have passed it. */
export function kindEntry<S extends z.ZodType>(
  id: string,
  schema: S,
  facts: (settings: z.output<S>) => KindFacts,
): KindEntry {
  return {
    id,
    schema,
    facts: (block) => {
      const result = schema.safeParse(block);
      return result.success ? facts(result.data) : undefined;
    },
  };
}

const postgres = kindEntry('postgres', postgresSchema, ({ roles, admin }) => ({
  needsAccount: roles.length > 1,
  withoutAccount: 'name one role only (swap, with a gap)',
  list: false,
  hosts: 'host' in admin ? [{ path: ['admin', 'host'], name: admin.host }] : [],
}));

const token = kindEntry('token', tokenSchema, ({ keepOld }) => ({
  needsAccount: false,
  list: keepOld !== undefined,
  hosts: [],
}));

const manual = kindEntry('manual', manualSchema, (settings) => ({
  needsAccount: false,
  list: false,
  hosts: hostsNamed(settings),
}));

const http = kindEntry('http', httpSchema, (settings) => ({
  needsAccount: needsAccount(settings),
  withoutAccount: 'add `identify` to `http`',
  list: false,
  hosts: settings.from === undefined ? [] : [{ path: ['from'], name: settings.from }],
}));

/** Every kind, by its id. */
export const kindRegistry: KindRegistry = new Map(
  [http, manual, postgres, token].map((entry) => [entry.id, entry]),
);
