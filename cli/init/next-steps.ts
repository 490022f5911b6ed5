/** What a person does after `rotate init`: the steps of the README's first rotation, with the names of his file. */
import { posix } from 'node:path';

import { mappingOf, textIn, valueIn } from './draft.js';
import type { Interviewed } from './interview.js';
import { rulesOf } from './state.js';

/** @returns lines, numbered; and before them what is still missing */
export function nextSteps({ draft, secret, notes }: Interviewed, fileName: string): string[] {
  const path = ['secrets', secret.environment, secret.name];
  const name = `${secret.environment}/${secret.name}`;
  const rules = rulesOf(draft, secret.environment);
  const file = textIn(draft, [...path, 'file']);
  const kind = textIn(draft, [...path, 'kind']);
  const branch = textIn(draft, ['repo', 'branch']) || 'main';
  const holders = consumerHosts(valueIn(draft, [...path, 'consumers']));
  const steps = [
    `read ${fileName} and docs/kinds/${kind}.md, and set up what the kind needs`,
    `git add ${fileName} && git commit -m 'Describe what rotate rotates' && git push   (to ${branch})`,
    'rotate dev   (in this repo; leave it running). It prints `seals to age1…` and where its worker.yaml is: see that `ssh` in it is right',
    ...loginsOf(mappingOf(valueIn(draft, [...path, kind]))).map(
      (login) =>
        `declare the login \`${login}\` in that worker.yaml${kind === 'http' ? ', with the vendor’s origin in `to`' : ''}, and start rotate dev again`,
    ),
    `add that age1… recipient to ${rules} for ${file}; then \`agenix -r\` in ${posix.dirname(rules)}, commit, push, and deploy ${holders.length === 0 ? 'every host that installs it' : holders.join(', ')}`,
    'rotate doctor   (in another terminal)',
    `rotate plan ${name}`,
    `rotate start ${name} --reason 'first try'`,
  ];
  return [
    ...notes.map((note) => `note: ${note}`),
    'what to do next:',
    ...steps.map((step, i) => `  ${i + 1}. ${step}`),
  ];
}

function consumerHosts(consumers: unknown): string[] {
  if (!Array.isArray(consumers)) return [];
  const hosts = consumers.flatMap((each): unknown[] => {
    const named = mappingOf(each)['hosts'];
    return Array.isArray(named) ? named : [];
  });
  return [...new Set(hosts.map(String))];
}

/** Admin logins that the kind's settings name, wherever they do. */
function loginsOf(block: Readonly<Record<string, unknown>>): string[] {
  return Object.values(block)
    .map((part) => mappingOf(part)['login'])
    .filter((login) => typeof login === 'string');
}
