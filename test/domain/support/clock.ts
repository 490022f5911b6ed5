/** A second reading of the clock, by another way through `Intl`, and the clock changes that the tests go over. */

const formats = new Map<string, Intl.DateTimeFormat>();

/** What the clock in `zone` shows, as text that sorts: `2026-03-29 03:00:00`. */
export function clockText(zone: string, instant: number): string {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' });
    formats.set(zone, format);
  }
  return format.format(instant);
}

export const zones = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'Pacific/Apia',
];

/** The instants at which clocks are put forward (`gap`) or back (`overlap`), by so many minutes. */
export const changes: { zone: string; at: string; type: 'gap' | 'overlap'; minutes: number }[] = [
  { zone: 'Europe/Berlin', at: '2026-03-29T01:00:00Z', type: 'gap', minutes: 60 },
  { zone: 'Europe/Berlin', at: '2026-10-25T01:00:00Z', type: 'overlap', minutes: 60 },
  { zone: 'Europe/Berlin', at: '2027-03-28T01:00:00Z', type: 'gap', minutes: 60 },
  { zone: 'Europe/Berlin', at: '2027-10-31T01:00:00Z', type: 'overlap', minutes: 60 },
  { zone: 'America/New_York', at: '2026-03-08T07:00:00Z', type: 'gap', minutes: 60 },
  { zone: 'America/New_York', at: '2026-11-01T06:00:00Z', type: 'overlap', minutes: 60 },
  { zone: 'America/New_York', at: '2027-03-14T07:00:00Z', type: 'gap', minutes: 60 },
  { zone: 'America/New_York', at: '2027-11-07T06:00:00Z', type: 'overlap', minutes: 60 },
  { zone: 'Australia/Lord_Howe', at: '2026-04-04T15:00:00Z', type: 'overlap', minutes: 30 },
  { zone: 'Australia/Lord_Howe', at: '2026-10-03T15:30:00Z', type: 'gap', minutes: 30 },
  { zone: 'Australia/Lord_Howe', at: '2027-04-03T15:00:00Z', type: 'overlap', minutes: 30 },
  { zone: 'Australia/Lord_Howe', at: '2027-10-02T15:30:00Z', type: 'gap', minutes: 30 },
  { zone: 'Pacific/Apia', at: '2011-12-30T10:00:00Z', type: 'gap', minutes: 24 * 60 },
];
