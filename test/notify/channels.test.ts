import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { parseWorkerYaml } from '../../config/worker-yaml.js';
import { makeNotifiers } from '../../worker/notifiers.js';
import { rejectionOf } from '../config/errors.js';
import { everythingOf } from './errors.js';
import { signatureOf, startReceiver, type Receiver } from './receiver.js';
import { sample } from './samples.js';

let folder: string;
let receiver: Receiver;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rotate-channels-'));
  receiver = await startReceiver();
  await keep('hook.key', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n');
  await keep('hook.url', `${receiver.origin}/hunter2\n`);
  await keep('token', 'Bearer hunter2\n');
});
afterEach(async () => {
  await receiver.stop();
  await rm(folder, { recursive: true });
});

async function keep(name: string, text: string): Promise<void> {
  await writeFile(join(folder, name), text, { mode: 0o600 });
}

/** The channels of a worker.yaml that has one, `ops`. */
async function channelsOf(webhook: string) {
  const text = `version: 1
repo: ../infra.git
identities: [id.txt]
codecKeys: [codec.key]
ssh: { agent: true }
notify: { channels: { ops: { webhook: ${webhook} } } }
`;
  return makeNotifiers(parseWorkerYaml(text, join(folder, 'worker.yaml')).notify);
}

const full =
  '{ urlFile: hook.url, secretFile: hook.key, headers: { Authorization: { file: token } }, events: [failed] }';

test('URL, secrets and headers are read from files of the worker, and work', async () => {
  const [channel] = await channelsOf(full);
  if (channel === undefined) throw new Error('there is no channel');
  expect(channel).toMatchObject({ events: ['failed'], notifier: { name: 'ops' } });
  await channel.notifier.send(sample, new AbortController().signal);
  const [request] = receiver.received;
  if (request === undefined) throw new Error('nothing came');
  expect(request.path).toBe('/hunter2');
  expect(request.headers.authorization).toBe('Bearer hunter2');
  expect(request.headers['webhook-signature']).toBe(
    signatureOf(Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64'), request),
  );
});

describe('a file is refused at start, without a word of what it holds', () => {
  test.each([
    ['hook.key', 'the signing secrets of channel `ops` in'],
    ['hook.url', 'the URL of channel `ops` in'],
    ['token', 'the header Authorization of channel `ops` in'],
  ])('when others can read %s', async (name, what) => {
    await chmod(join(folder, name), 0o644);
    const error = await rejectionOf(channelsOf(full));
    expect(error.toReason()).toEqual({
      type: 'BadConfig',
      message: `${what} ${join(folder, name)} is open to other users (mode 0644)`,
      hint: `chmod 600 ${join(folder, name)}; if others may have read it, replace the key`,
    });
  });

  test.each([
    ['hook.key', 'hunter2', ':1: a signing secret has at least 24 bytes, this one 7'],
    ['hook.url', 'http://ops.example/hunter2', ' must use https://, for everyone on the way can read it'],
    ['hook.url', 'https://a.example/hunter2\nhttps://b.example/', ' is not a URL'],
    ['hook.url', '', ' is not a URL'],
    ['token', 'Bearer hunter2\nX: y', ' is not one line of printable ASCII'],
  ])('when %s holds %j', async (name, text, message) => {
    await keep(name, text);
    const error = await rejectionOf(channelsOf(full));
    expect(error.type).toBe('BadConfig');
    expect(error.message).toContain(`${join(folder, name)}${message}`);
    expect(error.hint).toBeDefined();
    expect(everythingOf(error)).not.toContain('hunter2');
  });

  test('when it is not there', async () => {
    expect((await rejectionOf(channelsOf('{ urlFile: none, format: slack }'))).message).toBe(
      `cannot read the URL of channel \`ops\` in ${join(folder, 'none')}: there is no such file (ENOENT)`,
    );
  });
});
