/** Runs the scripts of docs/kinds/manual.md as they stand there, with curl against servers on loopback. */
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile, chmod } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseWorkerYaml } from '../../../config/worker-yaml.js';
import { readRotateYaml } from '../../../config/rotate-yaml.js';
import { SecretValue } from '../../../domain/secret-value.js';
import { manual } from '../../../kinds/manual/kind.js';
import type { KindContext } from '../../../kinds/kind.js';
import { noCommand } from '../no-command.js';
import { hostAccess, localHost } from '../postgres/local-host.js';
import { settings } from './vendor.js';

const page = await readFile(new URL('../../../docs/kinds/manual.md', import.meta.url), 'utf8');

function shown(language: string): string {
  const text = new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(page)?.[1];
  if (text === undefined) throw new Error(`the page has no block ${language}`);
  return text;
}

const fleet = `version: 1
environments: { prod: { store: agenix, rules: secrets.nix } }
hosts: { web-1: { environment: prod, tags: [web] }, mail-1: { environment: prod } }
`;

test('the blocks that the page shows are right', () => {
  expect(readRotateYaml(fleet + shown('yaml'), 'rotate.yaml')).toMatchObject({ problems: [], warnings: [] });
  const worker = `version: 1\nrepo: /r\nidentities: [i]\ncodecKeys: [c]\nssh: { agent: true }\n${shown('yaml worker')}`;
  const { commands } = parseWorkerYaml(worker, '/etc/rotate/worker.yaml');
  const { secrets } = parse(shown('yaml')) as { secrets: { prod: { 'api-key': { manual: unknown } } } };
  expect(settings(secrets.prod['api-key'].manual).revoke?.command).toBe(Object.keys(commands)[0]);
});

/** What is hard to quote. */
const right = `p"a\\ss'w$(id) örd #1%`;
const wrong = 'another one';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rotate-manual-docs-'));
  await chmod(folder, 0o755);
  for (const name of ['smtp-check', 'api-check', 'api-revoke']) {
    const script = shown(`sh ${name}`);
    await writeFile(join(folder, name), script, { mode: 0o755 });
    const strict = script.replace('#!/bin/sh\n', '#!/usr/bin/env bash\nset -euo pipefail\n');
    await writeFile(join(folder, `${name}-strict`), strict, { mode: 0o755 });
  }
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const context: KindContext = {
  secret: { environment: 'prod', name: 'it' },
  hosts: hostAccess(localHost('web-1')),
  login: async () => SecretValue.fromText(''),
  command: noCommand,
  consumers: ['web-1'],
  signal: new AbortController().signal,
};

async function check(command: string[], value: string) {
  const block = settings({ overlap: 'dual', check: { command, on: 'consumers' } });
  const [result] = await manual.check(context, block, { value: SecretValue.fromText(value) }, 'web-1');
  return result?.outcome;
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Says the lines of an SMTP server with AUTH PLAIN. `busy`: lets nobody in for now. */
function smtpServer(how: { busy: boolean; auth: boolean }): Server {
  const logIn = (response: string): string => {
    const [, login, password] = Buffer.from(response, 'base64').toString('utf8').split('\0');
    if (how.busy) return '454 4.7.0 try again later';
    return login === 'mailer' && password === right ? '235 2.7.0 welcome' : '535 5.7.8 wrong';
  };
  const answer = (line: string): string => {
    switch (line.split(' ')[0]?.toUpperCase()) {
      case 'EHLO':
        return how.auth ? '250-it\r\n250 AUTH PLAIN' : '250 it';
      case 'AUTH':
        return '334 ';
      case 'NOOP':
        return '250 ok';
      case 'QUIT':
        return '221 bye';
      default:
        return logIn(line);
    }
  };
  return createServer((socket: Socket) => {
    socket.on('error', () => undefined);
    socket.write('220 it ESMTP\r\n');
    let rest = '';
    socket.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\r\n');
      rest = lines.pop() ?? '';
      for (const line of lines) socket.write(`${answer(line)}\r\n`);
    });
  });
}

describe.each(['smtp-check', 'smtp-check-strict'])('%s', (script) => {
  const how = { busy: false, auth: true };
  let server: Server;
  let command: string[];
  beforeAll(async () => {
    server = smtpServer(how);
    command = [join(folder, script), 'mailer', `smtp://127.0.0.1:${await listen(server)}`];
  });
  afterAll(() => {
    server.close();
  });

  test('tells a right password from a wrong one', async () => {
    expect(await check(command, right)).toBe('accepted');
    expect(await check(command, wrong)).toBe('refused');
    expect(await check(command, `${right}x`)).toBe('refused');
  });

  test('takes nothing else for a refusal, and nothing else for a login', async () => {
    how.busy = true;
    expect(await check(command, right)).toBe('unknown');
    how.busy = false;
    how.auth = false;
    expect(await check(command, right)).toBe('unknown');
    how.auth = true;
    expect(await check([...command.slice(0, 2), 'smtp://127.0.0.1:1'], right)).toBe('unknown');
  });
});

describe.each(['', '-strict'])('api-check%s and api-revoke%s', (kind) => {
  const keys = new Set<string>();
  let status: number | undefined;
  const server = createHttpServer((request, response) => {
    const key = Buffer.from(request.headers.authorization ?? '', 'latin1')
      .toString('utf8')
      .slice('Bearer '.length);
    const known = keys.has(key);
    if (known && request.method === 'DELETE' && status === undefined) keys.delete(key);
    response.writeHead(status ?? (known ? 200 : 401)).end('x');
  });
  let url: string;
  beforeAll(async () => {
    url = `http://127.0.0.1:${await listen(server)}/v1/me`;
  });
  afterAll(() => {
    server.close();
  });

  const revoke = () =>
    manual.apply(
      context,
      settings({
        overlap: 'dual',
        revoke: { command: [join(folder, `api-revoke${kind}`), url], on: 'web-1' },
      }),
      { old: { value: SecretValue.fromText(right) }, new: { value: SecretValue.fromText(wrong) } },
      { old: 'destroyed', new: 'valid' },
      { epoch: 1, seq: 1 },
    );

  test('tell a right key from a wrong one, and from an answer that says neither', async () => {
    const command = [join(folder, `api-check${kind}`), url];
    keys.add(right);
    expect(await check(command, right)).toBe('accepted');
    expect(await check(command, wrong)).toBe('refused');
    for (status of [429, 503, 403, 302]) expect(await check(command, wrong)).toBe('unknown');
    status = undefined;
    expect(await check([command[0] ?? '', 'http://127.0.0.1:1/'], right)).toBe('unknown');
  });

  test('delete a key once, and ask to be tried again when it is not the time', async () => {
    keys.add(right);
    status = 503;
    await expect(revoke()).rejects.toMatchObject({ type: 'IssuerBusy' });
    status = 403;
    await expect(revoke()).rejects.toMatchObject({ type: 'IssuerMisconfigured' });
    status = undefined;
    await revoke();
    expect(keys.has(right)).toBe(false);
    await revoke();
  });
});
