/**
 * What `rotate init` asks of a secret's kind: the least that makes a rotation possible. More settings are in docs/kinds
 * and can be given by `--set`. A kind without questions here is described by `--set` alone.
 */
import { parse as parseYaml, YAMLParseError } from 'yaml';

import { mappingOf, textOf, valueIn, type Draft } from './draft.js';
import { listOf, type Reading } from './question.js';

/** A setting of the kind's block. */
export interface SettingQuestion {
  text: string;
  about?: readonly string[];
  default?: string;
  suggestion?: string;
  optional?: true;
  /** Default: the text itself. */
  parse?: (text: string) => Reading<unknown>;
}

/** What is known when a question is made. */
export interface Described {
  /** The kind's block so far; what no question asks for is in it from the start. */
  block: Draft;
  /** Hosts of the secret's environment. */
  hosts: readonly string[];
}

/** A place in the block, and the question for it; undefined where it is not to be asked. */
export type Slot = readonly [key: string, make: (described: Described) => SettingQuestion | undefined];

export interface KindQuestions {
  /** In the order in which they are asked. */
  slots: readonly Slot[];
  /** What the block has beside that, by places in it, unless it was said otherwise. */
  fixed?: (block: Draft) => readonly (readonly [key: string, value: unknown])[];
  /** How the value would stand in its file. */
  format?: (block: Draft) => { format: string; template?: string };
}

const list = (text: string): Reading<unknown> => ({ value: listOf(text) });
const number = (text: string): Reading<unknown> => ({ value: /^\d+$/.test(text) ? Number(text) : text });
const textsOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];

const postgres: KindQuestions = {
  slots: [
    [
      'roles',
      () => ({
        text: 'login roles that take turns: two, or one (with a gap of some seconds)',
        about: ['two roles, members of one owner role: no login fails. docs/kinds/postgres.md has the SQL'],
        parse: list,
      }),
    ],
    [
      'owner',
      ({ block }) =>
        textsOf(block['roles']).length > 1 ? { text: 'owner role that both are members of' } : undefined,
    ],
    [
      'database',
      ({ block }) => ({
        text: 'database that consumers connect to',
        ...suggest(textOf(block['owner']) || textsOf(block['roles'])[0]),
      }),
    ],
    [
      'admin',
      ({ hosts }) => ({
        text: 'who administers it: USER@HOST for psql over SSH, or login:NAME of worker.yaml',
        ...suggest(databaseHost(hosts) === undefined ? undefined : `postgres@${databaseHost(hosts) ?? ''}`),
        parse: readAdmin,
      }),
    ],
    [
      'endpoints',
      ({ block }) => {
        const host = textOf(mappingOf(block['admin'])['host']);
        return {
          text: 'what consumers connect through, host:port of servers, poolers, replicas',
          ...suggest(host === '' ? undefined : `${host}:5432`),
          parse: list,
        };
      },
    ],
  ],
  format: (block) => {
    const roles = textsOf(block['roles']);
    const role = roles.length > 1 ? '{role}' : (roles[0] ?? '');
    const place = `${textsOf(block['endpoints'])[0] ?? ''}/${textOf(block['database'])}`;
    return { format: 'env:DATABASE_URL', template: `postgresql://${role}:{password}@${place}` };
  },
};

function suggest(suggestion: string | undefined): { suggestion?: string } {
  return suggestion === undefined || suggestion === '' ? {} : { suggestion };
}

function databaseHost(hosts: readonly string[]): string | undefined {
  return hosts.find((name) => /db|pg|postgres|sql|database/i.test(name)) ?? hosts[0];
}

function readAdmin(text: string): Reading<unknown> {
  const [, login] = /^login:(.*)$/.exec(text) ?? [];
  if (login !== undefined) return { value: { login } };
  const [, user, host] = /^([^@]+)@(.+)$/.exec(text) ?? [];
  return user === undefined || host === undefined
    ? { complaint: { message: `\`${text}\` is neither`, hint: 'e.g. postgres@db-1, or login:app-admin' } }
    : { value: { host, as: user } };
}

/** Other forms of a token; one of them replaces the one that is asked for. */
const tokenForms = ['base64', 'hex', 'alphabet', 'words'];

const token: KindQuestions = {
  slots: [
    [
      'base64url',
      ({ block }) =>
        tokenForms.some((form) => block[form] !== undefined)
          ? undefined
          : { text: 'random bytes, written as base64url', default: '32', parse: number },
    ],
    [
      'keepOld',
      () => ({
        text: 'how long the file lists the old value behind the new one, such as 7d',
        about: ['without it the old value is replaced at once, and what it signed (sessions) is refused'],
        optional: true,
      }),
    ],
  ],
};

const manual: KindQuestions = {
  slots: [
    [
      'overlap',
      () => ({
        text: 'overlap at the vendor: dual (old and new are valid at once) or swap (one value at a time)',
        suggestion: 'dual',
      }),
    ],
    [
      'provision.checklist',
      ({ block }) =>
        block['overlap'] === 'swap' && block['provision'] === undefined
          ? {
              text: 'what a person does to set the new value at the vendor',
              about: ['a command can do it as well: docs/kinds/manual.md'],
            }
          : undefined,
    ],
    [
      'undo.checklist',
      ({ block }) =>
        block['overlap'] === 'swap' && block['undo'] === undefined
          ? { text: 'what a person does to put the old value back' }
          : undefined,
    ],
    [
      'revoke.checklist',
      ({ block }) =>
        block['overlap'] === 'dual' && block['revoke'] === undefined
          ? {
              text: 'what a person does to revoke the old value at the vendor',
              about: ['without it the old value lives until the vendor ends it; a command can do it as well'],
              optional: true,
            }
          : undefined,
    ],
  ],
};

const always =
  (text: string, suggestion?: string): Slot[1] =>
  () => ({ text, ...suggest(suggestion) });

const http: KindQuestions = {
  slots: [
    ['base', () => ({ text: 'URL of the API', about: ['docs/kinds/http.md says what each request is for'] })],
    ['auth.login', always('login of worker.yaml that may administer keys')],
    ['list.get', always('path that lists the keys', '/keys')],
    [
      'list.ids',
      always('where ids stand in the answer, a JSON pointer with * for the entries', '/data/*/id'),
    ],
    ['create.post', always('path that makes a key, by POST', '/keys')],
    [
      'create.body',
      () => ({
        text: 'its body, with {label} where the name of the key goes',
        about: ['by the label rotate knows its own keys; without one, nobody else may make keys meanwhile'],
        suggestion: '{ name: "{label}" }',
        optional: true,
        parse: readYaml,
      }),
    ],
    [
      'list.labels',
      ({ block }) =>
        JSON.stringify(valueIn(block, ['create', 'body']) ?? '').includes('{label}')
          ? { text: 'where labels stand in the list', suggestion: '/data/*/name' }
          : undefined,
    ],
    ['create.value', always('where the new value stands in the answer', '/secret')],
    ['create.id', always('where its id stands', '/id')],
    ['check.get', always('path that tries a key', '/whoami')],
    ['delete.delete', always('path that deletes a key, by DELETE', '/keys/{id}')],
  ],
  fixed: (block) =>
    ['auth', 'check', 'identify']
      .filter((request) => request !== 'identify' || block[request] !== undefined)
      .filter((request) => {
        const { headers, basic } = mappingOf(block[request]);
        return headers === undefined && basic === undefined;
      })
      .map((request) => [
        `${request}.headers`,
        { authorization: `Bearer {${request === 'auth' ? 'admin' : 'value'}}` },
      ]),
  // Without `identify` the file has to say which key its value is.
  format: ({ identify }) => ({
    format: 'raw',
    ...(identify === undefined ? { template: '{role}:{password}' } : {}),
  }),
};

export const kindQuestions: ReadonlyMap<string, KindQuestions> = new Map([
  ['http', http],
  ['manual', manual],
  ['postgres', postgres],
  ['token', token],
]);

/** A value as it would stand in the file. */
export function readYaml(text: string): Reading<unknown> {
  try {
    return { value: parseYaml(text) };
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error;
    return { complaint: { message: 'is no YAML', hint: 'write it as it would stand in the file' } };
  }
}
