/** What `rotate init` asks about the first secret: its kind, its file, the settings, and who reads it. */
import { posix } from 'node:path';

import { kindRegistry } from '../../config/registries.js';
import { askConsumers } from './ask-consumers.js';
import { askFormat } from './ask-format.js';
import { askSettings } from './ask-settings.js';
import { mappingOf, textIn, valueIn, withValue } from './draft.js';
import { judged, rulesOf, settle, type FirstSecret, type Interview } from './state.js';
import { kindQuestions } from './kind-questions.js';
import { ask } from './question.js';
import type { RulesText } from './rules-text.js';

/** @param settings of the kind for which there is an answer, whether they are asked for or not */
export async function askSecret(state: Interview, settings: readonly string[]): Promise<FirstSecret> {
  const secret = await askName(state);
  const path = ['secrets', secret.environment, secret.name];
  const kind = await askKind(state, path);
  await askFile(state, secret, path);
  await askSettings(state, secret, kind, settings);
  const suggested = kindQuestions.get(kind)?.format?.(mappingOf(valueIn(state.draft, [...path, kind])));
  const facts = kindRegistry.get(kind)?.facts(valueIn(state.draft, [...path, kind]));
  await askFormat(state, path, {
    list: facts?.list === true,
    needsAccount: facts?.needsAccount === true,
    ...(suggested === undefined ? {} : { suggested }),
  });
  await askConsumers(
    state,
    secret,
    (facts?.hosts ?? []).map(({ name }) => name),
  );
  return secret;
}

async function askName(state: Interview): Promise<FirstSecret> {
  const [only = '', ...others] = state.environments;
  const named = await ask<{ environment?: string; name: string }>(
    state.source,
    { key: 'secret', flag: '--secret NAME', text: 'first secret, its name', about: await filesNamed(state) },
    (text) => {
      const [, environment, name = ''] = /^(?:([^/]*)\/)?(.*)$/s.exec(text) ?? [];
      if (environment !== undefined && !state.environments.includes(environment))
        return { complaint: { message: `unknown environment \`${environment}\`` } };
      const path = ['secrets', environment ?? only, name];
      const reading = judged(withValue(state.draft, path, {}), path, 'at');
      if ('complaint' in reading) return reading;
      return { value: { name, ...(environment === undefined ? {} : { environment }) } };
    },
  );
  if (named.environment !== undefined) return { environment: named.environment, name: named.name };
  if (others.length === 0) return { environment: only, name: named.name };
  const environment = await ask(
    state.source,
    {
      key: 'environment of the secret',
      flag: `--secret ENV/${named.name}`,
      text: `environment of ${named.name} (${state.environments.join(', ')})`,
    },
    (text) =>
      state.environments.includes(text)
        ? { value: text }
        : { complaint: { message: `unknown environment \`${text}\`` } },
  );
  return { environment, name: named.name };
}

async function filesNamed(state: Interview): Promise<string[]> {
  const files = await Promise.all(
    state.environments.map(async (environment) => (await rulesFor(state, environment)).files),
  );
  const all = [...new Set(files.flat())];
  return all.length === 0 ? [] : [`the rules name: ${all.join(', ')}`];
}

function rulesFor({ draft, surroundings }: Interview, environment: string): Promise<RulesText> {
  return surroundings.readRules(rulesOf(draft, environment));
}

async function askKind(state: Interview, path: readonly string[]): Promise<string> {
  const kinds = [...kindRegistry.values()];
  const width = Math.max(...kinds.map(({ id }) => id.length));
  await settle(
    state,
    {
      key: 'kind',
      flag: '--kind KIND',
      text: `kind of secret (${kinds.map(({ id }) => id).join(', ')})`,
      about: kinds.map(({ id, schema }) => `${id.padEnd(width)}  ${schema.description ?? ''}`.trimEnd()),
    },
    [...path, 'kind'],
  );
  return textIn(state.draft, [...path, 'kind']);
}

async function askFile(
  state: Interview,
  { environment, name }: FirstSecret,
  path: readonly string[],
): Promise<void> {
  const rules = rulesOf(state.draft, environment);
  const { files } = await rulesFor(state, environment);
  const suggestion =
    files.find((file) => posix.basename(file, '.age') === name) ??
    posix.join(posix.dirname(rules), `${name}.age`);
  await settle(
    state,
    { key: 'file', flag: '--file PATH', text: 'its file, from the root of the repo', suggestion },
    [...path, 'file'],
  );
  const file = textIn(state.draft, [...path, 'file']);
  if (!state.surroundings.has(file))
    state.notes.push(`${file} is not there yet: make it with \`agenix -e\`, with the value that is in use`);
  else if (!files.includes(posix.normalize(file)))
    state.notes.push(`${rules} does not seem to name ${file}: it must, with everyone who may open it`);
}
