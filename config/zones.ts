/**
 * Names of time zones. Temporal looks them up in the IANA database, by their exact spelling, so what only the engine of
 * this program would understand is refused here: other cases, bare offsets, and short names (`PST`, `IST`).
 */
import { z } from 'zod';
import { nearest } from './nearest.js';
import { zoneLinks } from './zone-links.js';

/** Why `name` cannot be a zone; undefined when it can. */
function zoneProblem(name: string): { message: string; hint: string } | undefined {
  if (/^[+-]\d/.test(name)) {
    return {
      message: `\`${name}\` is an offset, not a time zone`,
      hint: 'name the zone, such as `Europe/Berlin`, whose clock changes are then followed; or `UTC`',
    };
  }
  const resolved = resolveZone(name);
  const known = [...new Set([...Intl.supportedValuesOf('timeZone'), ...zoneLinks()])];
  if (resolved !== undefined && known.includes(name)) return undefined;
  // the same in another case; else what the engine takes it for
  const sameLetters = known.filter((zone) => zone.toLowerCase() === name.toLowerCase());
  const other = sameLetters.length > 0 ? sameLetters : known.filter((zone) => zone === resolved);
  const near = (other.length > 0 ? other : nearZones(name)).map((zone) => `\`${zone}\``);
  return {
    message: `unknown time zone \`${name}\`${near.length === 0 ? '' : `, did you mean ${near.join(' or ')}?`}`,
    hint: 'use a name of the IANA database, such as `Europe/Berlin` or `UTC`',
  };
}

export const zoneSchema = z.string().superRefine((name, context) => {
  const problem = zoneProblem(name);
  if (problem === undefined) return;
  context.addIssue({ code: 'custom', message: problem.message, params: { hint: problem.hint } });
});

/** The zone that `name` is or is another name of; undefined when there is none. Only by trying can that be found out. */
function resolveZone(name: string): string | undefined {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Zones of that very city, whatever continent was named; else those that are spelt much like it, or whose city is. */
function nearZones(name: string): string[] {
  const zones = ['UTC', ...Intl.supportedValuesOf('timeZone')];
  const city = cityOf(name).replaceAll(' ', '_');
  const ofCity = (wanted: readonly string[]): string[] =>
    zones.filter((zone) => wanted.includes(cityOf(zone))).slice(0, 2);
  return (
    [ofCity([city]), nearest(name, zones), ofCity(nearest(city, zones.map(cityOf)))].find(
      (found) => found.length > 0,
    ) ?? []
  );
}

function cityOf(zone: string): string {
  return zone.slice(zone.lastIndexOf('/') + 1);
}
