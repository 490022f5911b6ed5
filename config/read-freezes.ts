/** Reads `freezes` of `rotate.yaml`. */
import type { FreezeSpec } from '../domain/schedule.js';
import { formatInstant, instantOn } from '../domain/zoned-time.js';
import type { Fields, Reader } from './fields.js';
import { unknownMessage } from './nearest.js';
import type { KeyPath } from './problem.js';
import { declareHint } from './read-fleet.js';
import { type Bound, freezeShape } from './schedule-shapes.js';

/** @param environments names of all */
export function readFreezes(reader: Reader, environments: readonly string[]): FreezeSpec[] {
  return Array.from({ length: reader.count(['freezes']) }, (_, i) =>
    readFreeze(reader, ['freezes', i], environments),
  ).filter((freeze) => freeze !== undefined);
}

function readFreeze(reader: Reader, path: KeyPath, environments: readonly string[]): FreezeSpec | undefined {
  const fields = reader.fields(freezeShape, path);
  for (const [i, name] of (fields.environments ?? []).entries()) {
    if (environments.includes(name)) continue;
    reader.problem([...path, 'environments', i], unknownMessage('environment', name, environments), {
      hint: declareHint('environment', environments),
    });
  }
  const { from, to } = fields;
  if (from === undefined || to === undefined) return undefined;
  checkZone(reader, path, [from, to]);
  const zone = zoneFor(fields);
  if (zone === undefined) return undefined;
  const begins = firstInstant(from, zone, 0);
  const ends = firstInstant(to, zone, 1);
  if (ends <= begins) {
    reader.problem([...path, 'to'], 'ends before it begins', { hint: '`to` must come after `from`' });
  }
  return {
    from: formatInstant(begins),
    to: formatInstant(ends),
    zone,
    environments: fields.environments ?? environments,
    ...(fields.reason === undefined ? {} : { reason: fields.reason }),
  };
}

/** Days are days of some zone; a time says itself when it is. */
function checkZone(reader: Reader, path: KeyPath, bounds: readonly Bound[]): void {
  const days = bounds.some((bound) => 'day' in bound);
  const given = reader.raw([...path, 'zone']) !== undefined;
  if (days && !given) {
    reader.problem([...path, 'zone'], 'a date needs a time zone', {
      hint: 'add `zone`, e.g. `Europe/Berlin`',
    });
  }
  if (!days && given) {
    reader.problem([...path, 'zone'], 'is for dates; a time says its own offset', {
      at: 'key',
      hint: 'remove `zone`',
    });
  }
}

function zoneFor({ from, to, zone }: Fields<typeof freezeShape>): string | undefined {
  const days = [from, to].some((bound) => bound !== undefined && 'day' in bound);
  return days ? zone : 'UTC';
}

/** @param later days to add to a day, so that the last one is included */
function firstInstant(bound: Bound, zone: string, later: 0 | 1): number {
  return 'day' in bound ? instantOn(zone, bound.day + later, { hour: 0, minute: 0 }) : bound.instant;
}
