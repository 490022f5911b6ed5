import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { jsonSchemas } from '../../config/schemas.js';
import { parseWorkerYaml } from '../../config/worker-yaml.js';
import { errorOf } from './errors.js';
import { unmark } from './marked.js';

const top = `version: 1
repo: ../infra.git
identities: [id.txt]
codecKeys: [codec.key]
ssh: { agent: true }
`;

function channels(text: string): string {
  return `${top}notify:\n  channels:\n${text}`;
}

const all = channels(`    ops:
      webhook:
        url: https://ops.example/hooks/rotate
        secretFile: hook.key
        headers: { X-Team: ops, Authorization: { file: token } }
        events: [needs-attention, failed]
        environments: [prod]
    chat:
      webhook: { urlFile: /run/credentials/rotate/slack.url, format: slack }
    lab:
      webhook: { url: "http://10.0.0.9:8080/", insecure: true, secretFile: hook.key }
`);

test('channels are read in their order, with their defaults, and paths relative to the file', () => {
  expect(parseWorkerYaml(all, '/srv/rotate/worker.yaml').notify.channels).toEqual([
    {
      name: 'ops',
      events: ['needs-attention', 'failed'],
      environments: ['prod'],
      to: {
        type: 'webhook',
        url: { type: 'plain', text: 'https://ops.example/hooks/rotate' },
        secretFile: '/srv/rotate/hook.key',
        format: 'json',
        headers: {
          'X-Team': { type: 'plain', text: 'ops' },
          Authorization: { type: 'file', path: '/srv/rotate/token' },
        },
        insecure: false,
      },
    },
    {
      name: 'chat',
      to: {
        type: 'webhook',
        url: { type: 'file', path: '/run/credentials/rotate/slack.url' },
        format: 'slack',
        headers: {},
        insecure: false,
      },
    },
    {
      name: 'lab',
      to: {
        type: 'webhook',
        url: { type: 'plain', text: 'http://10.0.0.9:8080/' },
        secretFile: '/srv/rotate/hook.key',
        format: 'json',
        headers: {},
        insecure: true,
      },
    },
  ]);
});

test('the JSON schema accepts them', () => {
  const schema = z.record(z.string(), z.unknown()).parse(jsonSchemas()['worker.schema.json']);
  const validate = new Ajv().compile(schema);
  validate(parse(all));
  expect(validate.errors).toBeNull();
});

test.each([
  'http://localhost:9000/x',
  'http://127.0.0.1/x',
  'http://127.255.0.1/x',
  'http://[::1]:9000/x',
  'http://2130706433/x',
])('%s stays on this machine and needs no TLS', (url) => {
  const text = channels(`    a:\n      webhook: { url: "${url}", secretFile: x }\n`);
  expect(parseWorkerYaml(text, '/x/worker.yaml').notify.channels).toHaveLength(1);
});

const plainHttp = 'must use https://, for everyone on the way can read it';

describe('each mistake is told with its line, column, key path and hint, and without its value', () => {
  test.each([
    [
      'a channel that reaches nobody',
      '    ▸ops: {}\n',
      'notify.channels.ops: says no way to reach anyone',
      'add `webhook: { url: …, secretFile: … }`',
    ],
    [
      'an unknown way',
      '    ops:\n      ▸webhok: { url: https://hunter2.example/ }\n',
      'notify.channels.ops.webhok: unknown key `webhok`, did you mean `webhook`?',
      'rename it to `webhook`',
    ],
    [
      'a URL in place of the mapping',
      '    ops:\n      webhook: ▸https://x.example/hunter2\n',
      'notify.channels.ops.webhook: must be a mapping, not a single value',
      undefined,
    ],
    [
      'a name that is none',
      '    ▸"a b":\n      webhook: { url: "https://x/", secretFile: k }\n',
      'notify.channels."a b": `a b` is not a name',
      'use letters, digits, `.`, `_` and `-`, beginning with a letter or a digit',
    ],
    [
      'no URL',
      '    ops:\n      ▸webhook: { secretFile: k }\n',
      'notify.channels.ops.webhook: says no URL',
      'each webhook has exactly one of `url` and `urlFile`',
    ],
    [
      'two URLs',
      '    ops:\n      ▸webhook: { url: "https://x/hunter2", urlFile: x, secretFile: k }\n',
      'notify.channels.ops.webhook: says two URLs',
      'each webhook has exactly one of `url` and `urlFile`',
    ],
    [
      'no secret',
      '    ops:\n      ▸webhook: { url: "https://x/hunter2" }\n',
      'notify.channels.ops.webhook: says no secret to sign with',
      'add `secretFile: PATH`; only `format: slack` can do without',
    ],
    [
      'a URL without TLS',
      '    ops:\n      webhook: { url: ▸"http://ops.example/hunter2", secretFile: k }\n',
      `notify.channels.ops.webhook.url: ${plainHttp}`,
      'use https://, or add `insecure: true` where the network is trusted',
    ],
    [
      'a host that only looks local',
      '    ops:\n      webhook: { url: ▸"http://127.0.0.1.hunter2.example/", secretFile: k }\n',
      `notify.channels.ops.webhook.url: ${plainHttp}`,
      'use https://, or add `insecure: true` where the network is trusted',
    ],
    [
      'another scheme',
      '    ops:\n      webhook: { url: ▸"ftp://ops.example/hunter2", secretFile: k }\n',
      'notify.channels.ops.webhook.url: must begin with https://',
      'a webhook is an HTTPS request',
    ],
    [
      'a URL with a login',
      '    ops:\n      webhook: { url: ▸"https://me:hunter2@ops.example/", secretFile: k }\n',
      'notify.channels.ops.webhook.url: must not contain a login',
      'send it as a header: `headers: { Authorization: { file: PATH } }`',
    ],
    [
      'what is no URL',
      '    ops:\n      webhook: { url: ▸"https://ops.example/hunter2 x", secretFile: k }\n',
      'notify.channels.ops.webhook.url: is not a URL',
      'for example `https://ops.example/hooks/rotate`',
    ],
    [
      'an unknown event',
      '    ops:\n      webhook: { url: "https://x/", secretFile: k, events: [▸needs_attention] }\n',
      'notify.channels.ops.webhook.events[0]: must be one of `started`, `waiting`, `needs-attention`, `rolled-back`, `done`, `refused`, `failed`, `due-soon`, `schedule`',
      'did you mean `needs-attention`?',
    ],
    [
      'no event at all',
      '    ops:\n      webhook: { url: "https://x/", secretFile: k, events: ▸[] }\n',
      'notify.channels.ops.webhook.events: must have at least 1 entry',
      undefined,
    ],
    [
      'an unknown format',
      '    ops:\n      webhook: { url: "https://x/", secretFile: k, format: ▸xml }\n',
      'notify.channels.ops.webhook.format: must be one of `json`, `slack`',
      undefined,
    ],
    [
      'a header with a line break',
      '    ops:\n      webhook: { url: "https://x/", secretFile: k, headers: { X-A: ▸"a\\nhunter2: b" } }\n',
      'notify.channels.ops.webhook.headers.X-A: must be one line of printable ASCII',
      'remove other characters, and space around it',
    ],
    [
      'a header that is a number',
      '    ops:\n      webhook: { url: "https://x/", secretFile: k, headers: { X-A: ▸5 } }\n',
      'notify.channels.ops.webhook.headers.X-A: must be text, or `{ file: PATH }`',
      undefined,
    ],
    [
      'a header that is ours',
      '    ops:\n      webhook: { url: "https://x/", secretFile: k, headers: { ▸Webhook-Id: hunter2 } }\n',
      'notify.channels.ops.webhook.headers.Webhook-Id: is a header that rotate sets itself',
      'remove it',
    ],
    [
      'what is no header',
      '    ops:\n      webhook: { url: "https://x/", secretFile: k, headers: { ▸"X A": hunter2 } }\n',
      'notify.channels.ops.webhook.headers."X A": is not the name of a header',
      'for example `Authorization`',
    ],
    [
      'a header twice',
      '    ops:\n      webhook: { url: "https://x/", secretFile: k, headers: { X-A: hunter2, ▸x-a: hunter2 } }\n',
      'notify.channels.ops.webhook.headers.x-a: stands here twice',
      'upper and lower case are the same in names of headers: remove one of them',
    ],
    [
      'a secret in the clear',
      '    ops:\n      webhook: { url: "https://x/", ▸secret: whsec_hunter2 }\n',
      'notify.channels.ops.webhook.secret: unknown key `secret`',
      'what can stand here: environments, events, format, headers, insecure, secretFile, urlFile',
    ],
  ])('%s', (_title, marked, message, hint) => {
    const { text, places } = unmark(channels(marked));
    const [place] = places;
    const error = errorOf(() => parseWorkerYaml(text, '/x/worker.yaml', 'worker.yaml'));
    expect(error.type).toBe('BadConfig');
    expect(error.message).toBe(`worker.yaml:${place?.line}:${place?.column}: ${message}`);
    expect(error.hint).toBe(hint ?? `correct worker.yaml, line ${place?.line}`);
    expect(JSON.stringify([error.message, error.hint, error.details])).not.toContain('hunter2');
  });
});
