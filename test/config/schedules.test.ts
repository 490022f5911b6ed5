/** `schedules`, `freezes`, `maxAge` and `warnBefore` of rotate.yaml. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { parseRotateYaml, readRotateYaml } from '../../config/rotate-yaml.js';
import { jsonSchemas } from '../../config/schemas.js';
import { zoneLinks } from '../../config/zone-links.js';
import { allDates, allMonths, weekdays } from '../../domain/schedule.js';
import { placesOf, told, unmark } from './marked.js';

const example = readFileSync(join(import.meta.dirname, 'fixtures/rotate.yaml'), 'utf8');

const day = 86_400_000;
const hour = 3_600_000;

function secret(name: string, lines: string): string {
  const settings = `{ roles: [app], owner: own, database: app, admin: { login: app }, endpoints: ["db-1:5432"] }`;
  return `    ${name}:\n      kind: postgres\n      file: secrets/${name}.age\n      postgres: ${settings}\n${lines}`;
}

const fleet = `version: 1
environments:
  prod: { store: agenix, rules: secrets/secrets.nix }
  test: { store: sops }
secrets:
  prod:
${secret('db', '      tags: [web, data]\n')}${secret('mail', '      tags: [web]\n')}${secret('vpn', '')}`;

/** A file with one schedule of these keys. */
function schedule(keys: string): string {
  return `${fleet}schedules:\n  s: { ${keys} }\n`;
}

function freeze(keys: string): string {
  return `${fleet}freezes:\n  - { ${keys} }\n`;
}

/** A file whose secret `vpn` has these keys as well. */
function aged(...lines: string[]): string {
  return `${fleet}${lines.map((line) => `      ${line}\n`).join('')}`;
}

const berlin = 'zone: Europe/Berlin';

describe('the example', () => {
  const { schedules, freezes } = parseRotateYaml(example, 'rotate.yaml');

  test('gives schedules with their secrets, and windows and calendars with all that they leave out', () => {
    expect(schedules).toEqual([
      {
        name: 'passwords',
        environment: 'prod',
        secrets: ['db-password'],
        rhythm: {
          type: 'every',
          everyMs: 90 * day,
          window: {
            days: ['mon', 'tue', 'wed', 'thu'],
            from: { hour: 22, minute: 0 },
            to: { hour: 4, minute: 0 },
            zone: 'Europe/Berlin',
          },
        },
        jitterMs: hour,
        reason: 'agreed with the auditors',
      },
      {
        name: 'quarterly',
        environment: 'prod',
        secrets: ['db-password'],
        rhythm: {
          type: 'calendar',
          calendar: {
            months: [1, 4, 7, 10],
            dates: [1],
            days: weekdays,
            at: { hour: 2, minute: 30 },
            zone: 'Europe/Berlin',
          },
        },
        jitterMs: 0,
      },
    ]);
  });

  test('gives freezes as instants, with both days inside', () => {
    expect(freezes).toEqual([
      {
        from: '2026-12-19T23:00:00.000Z',
        to: '2027-01-06T23:00:00.000Z',
        zone: 'Europe/Berlin',
        environments: ['prod'],
        reason: 'year end',
      },
    ]);
  });
});

describe('a schedule', () => {
  test.each([
    ['names secrets', 'secrets: [vpn, db]', ['db', 'vpn']],
    ['names tags', 'tags: [web]', ['db', 'mail']],
    ['names both', 'secrets: [vpn], tags: [data]', ['db', 'vpn']],
    ['names neither, and means all', 'reason: x', ['db', 'mail', 'vpn']],
    [
      'names a secret by itself and by a tag, and means it once',
      'secrets: [db], tags: [data, web]',
      ['db', 'mail'],
    ],
  ])('%s', (_title, keys, secrets) => {
    const { schedules } = parseRotateYaml(schedule(`environment: prod, every: 1d, ${keys}`), 'rotate.yaml');
    expect(schedules[0]?.secrets).toEqual(secrets);
  });

  test('sorts what a calendar lists, each once, and takes what is left out as all', () => {
    const text = schedule(
      `environment: prod, calendar: { months: [10, 1, 1], days: [sun, mon], at: "23:59", zone: UTC }`,
    );
    expect(parseRotateYaml(text, 'rotate.yaml').schedules[0]?.rhythm).toEqual({
      type: 'calendar',
      calendar: {
        months: [1, 10],
        dates: allDates,
        days: ['mon', 'sun'],
        at: { hour: 23, minute: 59 },
        zone: 'UTC',
      },
    });
  });

  test('has a window for whole days from "00:00" to "24:00"', () => {
    const text = schedule(
      `environment: prod, every: 1d, window: { days: [sun, sat], from: "00:00", to: "24:00", ${berlin} }`,
    );
    expect(parseRotateYaml(text, 'rotate.yaml').schedules[0]?.rhythm).toMatchObject({
      window: { days: ['sat', 'sun'], from: { hour: 0, minute: 0 }, to: { hour: 24, minute: 0 } },
    });
  });

  test.each([
    ['29 February', 'months: [2], dates: [29]'],
    ['the 31st', 'dates: [31]'],
    ['Friday the 13th', 'dates: [13], days: [fri]'],
    ['every day', `months: [${allMonths.join(', ')}]`],
  ])('may be due on %s', (_title, keys) => {
    const text = schedule(`environment: prod, calendar: { ${keys}, at: "01:00", zone: UTC }`);
    expect(readRotateYaml(text, 'rotate.yaml').problems).toEqual([]);
  });

  test.each([
    'UTC',
    'Etc/UTC',
    'Asia/Kathmandu',
    'Europe/Kyiv',
    'America/Port-au-Prince',
    'Africa/Dar_es_Salaam',
    'GMT',
    // links of the IANA database, and zones of their own there that engines take for others
    'US/Eastern',
    'Europe/Kiev',
    'Asia/Calcutta',
    'EST',
    'CET',
    'EST5EDT',
    'Etc/GMT-14',
    'GB-Eire',
    'America/Argentina/Buenos_Aires',
  ])('may be in the zone %s', (zone) => {
    const text = schedule(`environment: prod, calendar: { at: "01:00", zone: ${zone} }`);
    expect(readRotateYaml(text, 'rotate.yaml').problems).toEqual([]);
  });

  test('may be in any zone that is a link, each of which the engine knows', () => {
    const links = zoneLinks();
    expect([links.length, new Set(links).size]).toEqual([209, 209]);
    for (const timeZone of links) expect(() => new Intl.DateTimeFormat('en', { timeZone })).not.toThrow();
  });

  test('knows secrets and tags also where a secret has a mistake', () => {
    const { text, places } = unmark(
      `${fleet}${secret('bad', '      tags: [lonely]\n      ▸polcy: x\n')}schedules:\n  s: { environment: prod, every: 1d, secrets: [bad], tags: [lonely] }\n`,
    );
    expect(placesOf(readRotateYaml(text, 'rotate.yaml').problems)).toEqual(places);
  });
});

describe('a freeze', () => {
  test('of days ends when the last day does, also on a day when the clock changes', () => {
    const { freezes } = parseRotateYaml(freeze(`from: 2026-10-25, to: 2026-10-25, ${berlin}`), 'rotate.yaml');
    expect(freezes).toEqual([
      {
        from: '2026-10-24T22:00:00.000Z',
        to: '2026-10-25T23:00:00.000Z',
        zone: 'Europe/Berlin',
        environments: ['prod', 'test'],
      },
    ]);
  });

  test('of times needs no zone', () => {
    const times = 'from: 2026-12-20T18:00:00+01:00, to: "2026-12-21T06:30:00.500Z"';
    expect(parseRotateYaml(freeze(times), 'rotate.yaml').freezes).toEqual([
      {
        from: '2026-12-20T17:00:00.000Z',
        to: '2026-12-21T06:30:00.500Z',
        zone: 'UTC',
        environments: ['prod', 'test'],
      },
    ]);
  });

  test('may begin with a day and end at a time', () => {
    const both = `from: 2026-12-20, to: 2026-12-20T12:00:00+01:00, ${berlin}`;
    expect(parseRotateYaml(freeze(both), 'rotate.yaml').freezes[0]).toMatchObject({
      from: '2026-12-19T23:00:00.000Z',
      to: '2026-12-20T11:00:00.000Z',
    });
  });
});

describe('the age of a secret', () => {
  test('has no limit where none is set', () => {
    const [first] = parseRotateYaml(fleet, 'rotate.yaml').secrets;
    expect(first).not.toHaveProperty('maxAgeMs');
    expect(first).not.toHaveProperty('warnBeforeMs');
  });

  test('is warned of 14 days before its limit', () => {
    const { secrets } = parseRotateYaml(aged('maxAge: 180d'), 'rotate.yaml');
    expect(secrets[2]).toMatchObject({ maxAgeMs: 180 * day, warnBeforeMs: 14 * day });
  });

  test('is warned of when it is set', () => {
    const { secrets } = parseRotateYaml(aged('maxAge: 7d', 'warnBefore: 1d'), 'rotate.yaml');
    expect(secrets[2]).toMatchObject({ maxAgeMs: 7 * day, warnBeforeMs: day });
  });
});

const zoneHint = 'use a name of the IANA database, such as `Europe/Berlin` or `UTC`';
const window = (keys: string, more = ''): string =>
  schedule(`environment: prod, every: 1d, window: { ${keys} }${more}`);
const calendar = (keys: string, more = ''): string =>
  schedule(`environment: prod, calendar: { ${keys} }${more}`);
const night = `from: "01:00", to: "05:00", ${berlin}`;

/** Title; the file, with `▸` where each mistake is told; what is told, in order. */
const mistakes: [string, string, string[]][] = [
  [
    'a schedule without an environment',
    `${fleet}schedules:\n  ▸s: { every: 1d }\n`,
    ['schedules.s.environment: is missing [add `environment`]'],
  ],
  [
    'an unknown environment',
    schedule('environment: ▸prd, every: 1d'),
    [
      'schedules.s.environment: unknown environment `prd`, did you mean `prod`? [declare it under `environments`, or use one of: prod, test]',
    ],
  ],
  [
    'an environment without secrets',
    schedule('environment: ▸test, every: 1d'),
    ['schedules.s.environment: environment `test` has no secrets [declare one under `secrets.test`]'],
  ],
  [
    'an unknown secret',
    schedule('environment: prod, every: 1d, secrets: [db, ▸mial]'),
    ['schedules.s.secrets[1]: unknown secret `mial`, did you mean `mail`? [name a secret of `prod`]'],
  ],
  [
    'a tag that no secret has',
    schedule('environment: prod, every: 1d, tags: [▸wbe]'),
    [
      'schedules.s.tags[0]: unknown tag `wbe`, did you mean `web`? [a tag stands under `tags` of some secret of `prod`]',
    ],
  ],
  [
    'no secrets at all',
    schedule('environment: prod, every: 1d, secrets: ▸[]'),
    ['schedules.s.secrets: must have at least 1 entry'],
  ],
  [
    'the name of a schedule',
    `${fleet}schedules:\n  ▸-s: { environment: prod, every: 1d }\n`,
    [
      'schedules.-s: `-s` is not a name [use letters, digits, `.`, `_` and `-`, beginning with a letter or a digit]',
    ],
  ],
  [
    'a schedule that says no time',
    `${fleet}schedules:\n  ▸s: { environment: prod }\n`,
    ['schedules.s: says neither `every` nor `calendar` [add `every: 90d`, or a `calendar`]'],
  ],
  [
    'a misspelt `calendar`, told once',
    schedule('environment: prod, ▸calender: { at: "01:00", zone: UTC }'),
    ['schedules.s.calender: unknown key `calender`, did you mean `calendar`? [rename it to `calendar`]'],
  ],
  [
    'both rhythms',
    schedule('environment: prod, every: 1d, ▸calendar: { at: "01:00", zone: UTC }'),
    ['schedules.s.calendar: `calendar` and `every` exclude each other [remove one of them]'],
  ],
  [
    'a calendar with a window',
    schedule(`environment: prod, calendar: { at: "01:00", zone: UTC }, ▸window: { ${night} }`),
    [
      'schedules.s.window: a `calendar` has no window: it says the time itself [remove `window`, or use `every` instead of `calendar`]',
    ],
  ],
  ['too often', schedule('environment: prod, every: ▸59m'), ['schedules.s.every: must be at least 1h']],
  ['too seldom', schedule('environment: prod, every: ▸3651d'), ['schedules.s.every: must be at most 3650d']],
  [
    'a number of days',
    schedule('environment: prod, every: ▸90'),
    ['schedules.s.every: must be a duration such as `5s`, `10m`, `1h30m` or `90d`'],
  ],
  [
    'a reason of two lines',
    schedule('environment: prod, every: 1d, reason: ▸"a\\nb"'),
    ['schedules.s.reason: must be one line of text [remove line breaks and control characters]'],
  ],
  [
    'a window without a zone',
    schedule('environment: prod, every: 1d, ▸window: { from: "01:00", to: "05:00" }'),
    ['schedules.s.window.zone: is missing [add `zone`]'],
  ],
  [
    'a misspelt key of a window',
    window('▸form: "01:00", to: "05:00", zone: UTC'),
    ['schedules.s.window.form: unknown key `form`, did you mean `from`? [rename it to `from`]'],
  ],
  [
    'a misspelt day',
    window(`days: [mon, ▸teu], ${night}`),
    [
      'schedules.s.window.days[1]: must be one of `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun` [did you mean `tue`?]',
    ],
  ],
  ['no day', window(`days: ▸[], ${night}`), ['schedules.s.window.days: must have at least 1 entry']],
  ...['1:00', '"1:00"', '"24:00"', '"12:60"', '"noon"', '"01:00:00"'].map(
    (text): [string, string, string[]] => [
      `the time ${text}`,
      window(`from: ▸${text}, to: "05:00", zone: UTC`),
      ['schedules.s.window.from: must be a time of day such as `"02:30"`'],
    ],
  ),
  [
    'a time that is a number',
    window('from: ▸1, to: "05:00", zone: UTC'),
    ['schedules.s.window.from: must be text, not a number [put it in quotes]'],
  ],
  [
    'an end after the end of the day',
    window('from: "01:00", to: ▸"24:01", zone: UTC'),
    ['schedules.s.window.to: must be a time of day such as `"05:00"`'],
  ],
  [
    'a window of no length',
    window('from: "01:00", to: ▸"01:00", zone: UTC'),
    ['schedules.s.window.to: the window closes as it opens [for whole days, from "00:00" to "24:00"]'],
  ],
  [
    'a jitter as long as the window',
    window('from: "22:00", to: "02:00", zone: UTC', ', jitter: ▸4h'),
    [
      'schedules.s.jitter: must be shorter than the window: what is put off beyond it would not start [shorten it, or widen the window]',
    ],
  ],
  [
    'a jitter of more than an hour without a window',
    schedule('environment: prod, every: 90d, jitter: ▸61m'),
    [
      'schedules.s.jitter: must be at most 1h without a window, as what is due is looked for every hour [shorten it, or add a `window`]',
    ],
  ],
  [
    'a jitter of more than some hours with a calendar',
    calendar('at: "01:00", zone: UTC', ', jitter: ▸7h'),
    ['schedules.s.jitter: must be at most 6h with a calendar [use `every` with a longer `window`]'],
  ],
  [
    'a jitter of more than an hour with a window that has a mistake, whose mistake alone is told',
    window('from: "22:00", to: "06:00", zone: ▸utc', ', jitter: 4h'),
    [`schedules.s.window.zone: unknown time zone \`utc\`, did you mean \`UTC\`? [${zoneHint}]`],
  ],
  [
    'a calendar without a time',
    schedule('environment: prod, ▸calendar: { dates: [1], zone: UTC }'),
    ['schedules.s.calendar.at: is missing [add `at`]'],
  ],
  [
    'a month that is none',
    calendar('months: [1, ▸13], at: "01:00", zone: UTC'),
    ['schedules.s.calendar.months[1]: must be a month, 1 to 12'],
  ],
  [
    'a month by its name',
    calendar('months: [▸jan], at: "01:00", zone: UTC'),
    ['schedules.s.calendar.months[0]: must be a month, 1 to 12'],
  ],
  [
    'a date that is none',
    calendar('dates: [▸0], at: "01:00", zone: UTC'),
    ['schedules.s.calendar.dates[0]: must be a day of the month, 1 to 31'],
  ],
  [
    'a calendar that never comes',
    schedule('environment: prod, ▸calendar: { months: [2], dates: [30, 31], at: "01:00", zone: UTC }'),
    ['schedules.s.calendar: there is no such day [name dates that the months have]'],
  ],
  [
    'a calendar that comes too seldom',
    schedule(
      'environment: prod, ▸calendar: { months: [2], dates: [29], days: [mon], at: "01:00", zone: UTC }',
    ),
    [
      'schedules.s.calendar: five years and more may pass without such a day [name more days, dates or months]',
    ],
  ],
  ...(
    [
      ['Europe/Berln', ', did you mean `Europe/Berlin`?'],
      ['europe/berlin', ', did you mean `Europe/Berlin`?'],
      ['utc', ', did you mean `UTC`?'],
      ['Berlin', ', did you mean `Europe/Berlin`?'],
      ['America/Berlin', ', did you mean `Europe/Berlin`?'],
      ['New York', ', did you mean `America/New_York`?'],
      ['Mars/Olympus_Mons', ''],
      ['CEST', ''],
      // Known to engines, and not to the IANA database.
      ['PST', ', did you mean `America/Los_Angeles`?'],
      ['JST', ', did you mean `Asia/Tokyo`?'],
      ['AET', ', did you mean `Australia/Sydney`?'],
      ['SystemV/EST5', ''],
      ['US/eastern', ', did you mean `US/Eastern`?'],
      ['Gmt', ', did you mean `GMT`?'],
      ['EUROPE/KIEV', ', did you mean `Europe/Kiev`?'],
    ] as const
  ).map(([zone, meant]): [string, string, string[]] => [
    `the zone ${zone}`,
    calendar(`at: "01:00", zone: ▸${zone}`),
    [`schedules.s.calendar.zone: unknown time zone \`${zone}\`${meant} [${zoneHint}]`],
  ]),
  [
    'an offset as a zone',
    calendar('at: "01:00", zone: ▸"+02:00"'),
    [
      'schedules.s.calendar.zone: `+02:00` is an offset, not a time zone [name the zone, such as `Europe/Berlin`, whose clock changes are then followed; or `UTC`]',
    ],
  ],
  ['freezes that are a mapping', `${fleet}freezes: ▸{}\n`, ['freezes: must be a list, not a mapping']],
  [
    'a misspelt key of a freeze',
    freeze('form: x, from: 2026-01-01, to: 2026-01-02, zone: UTC').replace('form', '▸form'),
    ['freezes[0].form: unknown key `form` [what can stand here: environments, reason]'],
  ],
  [
    'a freeze without an end',
    `${fleet}freezes:\n  - ▸{ from: 2026-01-01, zone: UTC }\n`,
    ['freezes[0].to: is missing [add `to`]'],
  ],
  ...[
    '2026-02-30',
    '20.12.2026',
    '2026-12-20 18:00',
    '2026-12-20T18:00:00',
    '2026-12-20T18:00+01:00',
    '"2026-02-30T00:00:00Z"',
  ].map((text): [string, string, string[]] => [
    `the date ${text}`,
    freeze(`from: ▸${text}, to: 2027-01-02, zone: UTC`),
    ['freezes[0].from: must be a date such as `2026-12-20`, or a time such as `2026-12-20T18:00:00+01:00`'],
  ]),
  [
    'a date without a zone',
    `${fleet}freezes:\n  - ▸{ from: 2026-12-20, to: 2027-01-06 }\n`,
    ['freezes[0].zone: a date needs a time zone [add `zone`, e.g. `Europe/Berlin`]'],
  ],
  [
    'times with a zone',
    freeze('from: 2026-12-20T00:00:00Z, to: 2026-12-21T00:00:00Z, ▸zone: UTC'),
    ['freezes[0].zone: is for dates; a time says its own offset [remove `zone`]'],
  ],
  [
    'a freeze that ends before it begins',
    freeze('from: 2027-01-06, to: ▸2026-12-20, zone: UTC'),
    ['freezes[0].to: ends before it begins [`to` must come after `from`]'],
  ],
  [
    'a freeze of an unknown environment',
    freeze('from: 2026-12-20, to: 2027-01-06, zone: UTC, environments: [prod, ▸tset]'),
    [
      'freezes[0].environments[1]: unknown environment `tset`, did you mean `test`? [declare it under `environments`, or use one of: prod, test]',
    ],
  ],
  [
    'a warning without a limit',
    aged('▸warnBefore: 14d'),
    [
      'secrets.prod.vpn.warnBefore: there is no `maxAge` to warn before [add `maxAge`, or remove `warnBefore`]',
    ],
  ],
  [
    'a warning that is as long as the limit',
    aged('maxAge: 14d', 'warnBefore: ▸14d'),
    ['secrets.prod.vpn.warnBefore: must be shorter than `maxAge`'],
  ],
  [
    'a limit that is shorter than the warning by default',
    aged('maxAge: ▸14d'),
    [
      'secrets.prod.vpn.maxAge: is not longer than the time that it is warned of before, 14d [set `warnBefore` too, to less than that]',
    ],
  ],
  ['a limit of minutes', aged('maxAge: ▸5m'), ['secrets.prod.vpn.maxAge: must be at least 1h']],
];

describe('each mistake is told with its line, column, key path and hint', () => {
  test.each(mistakes)('%s', (_title, marked, expected) => {
    const { text, places } = unmark(marked);
    const { problems } = readRotateYaml(text, 'rotate.yaml');
    expect(problems.map(told)).toEqual(expected);
    expect(placesOf(problems)).toEqual(places);
  });
});

describe('the schema of rotate.yaml', () => {
  const schema = z.record(z.string(), z.unknown()).parse(jsonSchemas()['rotate.schema.json']);
  const validate = new Ajv().compile(schema);

  test.each([
    ['both rhythms', schedule('environment: prod, every: 1d, calendar: { at: "01:00", zone: UTC }')],
    ['no rhythm', schedule('environment: prod')],
    [
      'a calendar with a window',
      schedule(`environment: prod, calendar: { at: "01:00", zone: UTC }, window: { ${night} }`),
    ],
    ['a time that is none', calendar('at: "25:00", zone: UTC')],
    ['a date that is none', freeze('from: tomorrow, to: 2026-01-01, zone: UTC')],
    ['a month that is none', calendar('months: [0], at: "01:00", zone: UTC')],
  ])('refuses %s', (_title, text) => {
    expect(validate(parse(text))).toBe(false);
  });

  test.each([
    ['a window', window(night)],
    ['a calendar', calendar('months: [1], dates: [31], days: [mon], at: "01:00", zone: UTC')],
    ['a freeze of times', freeze('from: "2026-12-20T18:00:00+01:00", to: "2026-12-21T18:00:00Z"')],
    ['an age', aged('maxAge: 180d')],
  ])('accepts %s', (_title, text) => {
    validate(parse(text));
    expect(validate.errors).toBeNull();
  });
});
