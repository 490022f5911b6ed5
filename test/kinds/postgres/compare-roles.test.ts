/** Differences that only newer servers have, and the form of the hints. The rest is seen on a real server. */
import { describe, expect, it } from 'vitest';
import { compareDatabase, compareRoles } from '../../../kinds/postgres/compare-roles.js';
import type { SurveyedRole } from '../../../kinds/postgres/survey.js';

const role = (name: string, change: Partial<SurveyedRole> = {}): SurveyedRole => ({
  name,
  superuser: false,
  inherit: true,
  createRole: false,
  createDatabase: false,
  canLogin: true,
  replication: false,
  bypassRls: false,
  connectionLimit: -1,
  validUntil: null,
  expired: false,
  memberOfOwner: true,
  mayConnect: true,
  sessions: 0,
  settings: [],
  memberOf: [{ role: 'app', options: '' }],
  members: [],
  adminMayAlter: true,
  ...change,
});

describe('memberships', () => {
  it('are compared with the options that came with PostgreSQL 16', () => {
    const current = role('a', {
      memberOf: [{ role: 'app', options: 'ADMIN OPTION, INHERIT FALSE, SET FALSE' }],
    });
    expect(compareRoles(current, role('b')).map((problem) => problem.hint)).toEqual([
      'run: GRANT "app" TO "b" WITH ADMIN TRUE, INHERIT FALSE, SET FALSE;',
      'run: REVOKE "app" FROM "b"; (and grant it again as a has it)',
    ]);
  });

  it('of the spare in the role in use are told once', () => {
    const current = role('a', { members: [{ role: 'b', options: '' }] });
    const spare = role('b', { memberOf: [...current.memberOf, { role: 'a', options: '' }] });
    expect(compareRoles(current, spare).map((problem) => problem.message)).toEqual([
      'b is a member of a, a is not',
    ]);
  });
});

it('quotes names in hints, and lists only the first of many', () => {
  const grants = Array.from({ length: 30 }, (_, i) => ({
    role: 'a "x"',
    privilege: `SELECT ON TABLE t${i}`,
    prefix: '',
    grantable: false,
  }));
  const survey = { owned: [], grants, policies: [], schemas: [] };
  const [problem] = compareDatabase('app', 'app', 'a "x"', 'b "x"', survey);
  expect(problem?.message).toContain('SELECT ON TABLE t4 and 25 more');
  expect(problem?.hint).toContain('GRANT SELECT ON TABLE t19 TO "b ""x""";');
  expect(problem?.hint).toContain('(10 more)');
});
