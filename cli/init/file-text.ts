/** The draft as the text of a file: the same draft is the same text, with a word about each part. */
import { mappingOf, type Draft } from './draft.js';
import { flow } from './flow.js';

const schemaComment = '# yaml-language-server: $schema=./node_modules/rotate/schemas/rotate.schema.json';

/** @param keyOrigins where host keys were found, by host */
export function fileText(draft: Draft, keyOrigins: ReadonlyMap<string, string>): string {
  const { version, repo, environments, hosts, secrets } = draft;
  return [
    [
      schemaComment,
      '#',
      '# What rotate rotates, and how. It holds no secret. All keys are described in docs/configuration.md of rotate.',
      `version: ${flow(version)}`,
    ],
    ...(repo === undefined
      ? []
      : [['# The repo itself: the branch and the folder that hosts are built from.', `repo: ${flow(repo)}`]]),
    [
      '# Each environment has ciphertexts, and rules that say who can open them.',
      'environments:',
      ...Object.entries(mappingOf(environments)).map(([name, value]) => `  ${flow(name)}: ${flow(value)}`),
    ],
    [
      '# The machines, as SSH reaches them. One without a hostKey has to be in known_hosts of the worker: no key is',
      '# accepted unseen.',
      'hosts:',
      ...Object.entries(mappingOf(hosts)).flatMap(([name, host]) =>
        hostLines(name, host, keyOrigins.get(name)),
      ),
    ],
    [
      '# What is rotated, by environment.',
      'secrets:',
      ...Object.entries(mappingOf(secrets)).flatMap(([environment, inside]) => [
        `  ${flow(environment)}:`,
        ...Object.entries(mappingOf(inside)).flatMap(([name, secret]) => secretLines(name, secret)),
      ]),
    ],
    [
      '# Secrets are rotated with the policy `careful`, which is built in: a few hosts first (all together where only one',
      '# value is valid at a time), watched for 10 minutes before the old value is revoked. `policies` changes that,',
      '# `schedules` rotates by itself.',
    ],
  ]
    .map((part) => part.map((line) => `${line}\n`).join(''))
    .join('\n');
}

function hostLines(name: string, host: unknown, origin: string | undefined): string[] {
  const { hostKey, ...rest } = mappingOf(host);
  if (hostKey === undefined) return [`  ${flow(name)}: ${flow(rest)}`];
  const from = origin === undefined ? '' : ` # from ${origin}`;
  return [
    `  ${flow(name)}:`,
    ...Object.entries(rest).map(([key, value]) => `    ${key}: ${flow(value)}`),
    `    hostKey: ${flow(hostKey)}${from}`,
  ];
}

function secretLines(name: string, secret: unknown): string[] {
  const { kind, file, format, consumers, ...blocks } = mappingOf(secret);
  return [
    `    ${flow(name)}:`,
    `      kind: ${flow(kind)}`,
    '      # The ciphertext, and how the value stands in it.',
    `      file: ${flow(file)}`,
    `      format: ${flow(format)}`,
    ...Object.entries(blocks).flatMap(([key, block]) => [
      `      # What the kind has to know: docs/kinds/${key}.md of rotate.`,
      ...blockLines(key, block),
    ]),
    ...(Array.isArray(consumers)
      ? [
          '      # Units that read it, in the order in which they are restarted.',
          '      consumers:',
          ...consumers.map((each) => `        - ${flow(shortConsumer(each))}`),
        ]
      : []),
  ];
}

/** A line a setting. */
function blockLines(key: string, block: unknown): string[] {
  const entries = Object.entries(mappingOf(block));
  return entries.length === 0
    ? [`      ${flow(key)}: {}`]
    : [`      ${flow(key)}:`, ...entries.map(([name, value]) => `        ${flow(name)}: ${flow(value)}`)];
}

/** Without what is the default anyway. */
function shortConsumer(consumer: unknown): unknown {
  const { action, ...rest } = mappingOf(consumer);
  return action === 'restart' ? rest : { ...rest, action };
}
