/** What `rotate init` asks about the repo, the environments and their rules. */
import { posix } from 'node:path';

import { withValue } from './draft.js';
import { judged, settle, type Interview } from './state.js';
import { ask, type Reading } from './question.js';

/** Only what differs from the defaults: hosts are built from `main`, and flake.nix is at the root. */
export async function askRepo(state: Interview): Promise<void> {
  const { branch, flakes } = state.surroundings;
  await settleUnless(state, 'main', 'branch', {
    key: 'branch',
    flag: '--branch NAME',
    text: 'branch that hosts are built from',
    default: branch === 'master' ? branch : 'main',
    ...(branch === undefined || branch === 'main' ? { quiet: true } : {}),
  });
  const [found] = flakes;
  const atRoot = flakes.includes('.');
  if (found === undefined) state.notes.push('there is no flake.nix in this repo: hosts are built from one');
  await settleUnless(state, '.', 'flake', {
    key: 'flake',
    flag: '--flake FOLDER',
    text: 'folder of flake.nix',
    ...(atRoot || found === undefined ? { default: '.', quiet: true } : { suggestion: found }),
  });
}

/** An answer that is the default anyway is not written. */
async function settleUnless(
  state: Interview,
  usual: string,
  key: string,
  question: Parameters<typeof settle>[1],
): Promise<void> {
  const before = state.draft;
  let answered = '';
  await settle(state, question, ['repo', key], (text) => {
    answered = text;
    return { value: text };
  });
  if (answered === usual) state.draft = before;
}

export async function askEnvironments(state: Interview): Promise<void> {
  const { rules } = state.surroundings;
  const names = await ask(
    state.source,
    {
      key: 'env',
      flag: '--env NAME',
      text: 'environments, with commas between them',
      suggestion: environmentsOf(rules).join(', '),
    },
    (text) => readEnvironments(state, text),
  );
  state.environments = names;
  await settle(
    state,
    { key: 'store', flag: '--store NAME', text: 'store of the ciphertexts', default: 'agenix' },
    ['environments', names[0] ?? '', 'store'],
    (text) =>
      text === 'sops'
        ? {
            complaint: {
              message: 'sops comes later: this version rotates agenix files',
              hint: 'keep what is to be rotated in agenix files for now',
            },
          }
        : { value: text },
  );
  for (const name of names) await askRules(state, name);
}

function readEnvironments(state: Interview, text: string): Reading<readonly string[]> {
  const names = [...new Set(text.split(',').map((name) => name.trim()))];
  let { draft } = state;
  for (const name of names) {
    // Their store and rules are asked for later; these only make them whole.
    draft = withValue(draft, ['environments', name], { store: 'agenix', rules: 'secrets.nix' });
    const reading = judged(draft, ['environments', name], 'at');
    if ('complaint' in reading) return reading;
  }
  state.draft = draft;
  return { value: names };
}

async function askRules(state: Interview, environment: string): Promise<void> {
  const { surroundings } = state;
  const { rules } = surroundings;
  const suggestion = rules.find((path) => path.split('/').includes(environment)) ?? rules[0];
  const several = state.environments.length > 1;
  await settle(
    state,
    {
      key: `rules ${environment}`,
      flag: several ? `--rules ${environment}=PATH` : '--rules PATH',
      text: several ? `rules file of ${environment}` : 'rules file',
      ...(rules.length > 1 ? { about: [`found: ${rules.join(', ')}`] } : {}),
      ...(suggestion === undefined ? {} : { suggestion }),
    },
    ['environments', environment, 'rules'],
    (path) =>
      surroundings.has(path)
        ? { value: path }
        : {
            complaint: {
              message: `there is no file ${path} in the repo`,
              hint:
                rules.length === 0
                  ? 'give the path of secrets.nix from the root of the repo; agenix needs one'
                  : `give its path from the root of the repo; there is ${rules.join(', ')}`,
            },
          },
  );
}

/** By the folders of the rules files, where these are named after something. */
function environmentsOf(rules: readonly string[]): string[] {
  const folders = rules
    .map((path) => posix.basename(posix.dirname(path)))
    .filter((name) => /^[A-Za-z0-9][\w-]*$/.test(name) && name !== 'secrets');
  return folders.length === 0 ? ['prod'] : [...new Set(folders)];
}
