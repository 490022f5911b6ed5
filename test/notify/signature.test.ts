import { describe, expect, test } from 'vitest';

import { parseSigningSecrets, webhookHeaders } from '../../notify/signature.js';
import { errorOf } from '../config/errors.js';

const bytes = Buffer.from('0123456789abcdef0123456789abcdef');

test('the signature is that of the reference implementation', () => {
  // libraries/javascript/src/webhook.test.ts of standard-webhooks, "sign function works"
  const secrets = parseSigningSecrets('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'x');
  const id = 'msg_p5jXN8AQM9LWM0D4loKWxJek';
  expect(webhookHeaders(secrets, id, 1_614_265_330_999, '{"test": 2432232314}')).toEqual({
    'webhook-id': id,
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
});

describe('a file of secrets', () => {
  const read = (text: string): string[] =>
    parseSigningSecrets(text, 'hook.key').map((key) => key.export().toString('latin1'));

  test('holds them in base64 after whsec_, padded or not, or as they are', () => {
    const base64 = bytes.toString('base64');
    expect(read(`whsec_${base64}`)).toEqual([bytes.toString('latin1')]);
    expect(read(`whsec_${base64.replaceAll('=', '')}\n`)).toEqual([bytes.toString('latin1')]);
    expect(read('correct horse battery staple')).toEqual(['correct horse battery staple']);
    // without the prefix base64 is a text as any other
    expect(read(base64)).toEqual([base64]);
  });

  test('holds several, newest first, with comments', () => {
    expect(read('# since May\r\nsecond secret, quite long\r\n\r\n  first secret, as long as it\n')).toEqual([
      'second secret, quite long',
      'first secret, as long as it',
    ]);
  });

  test.each([
    ['# hunter2', 'hook.key: holds no signing secret'],
    ['whsec_hunter2!', 'hook.key:1: what follows whsec_ is not base64'],
    ['whsec_aHVudGVyMg==', 'hook.key:1: a signing secret has at least 24 bytes, this one 7'],
    [`${'x'.repeat(24)}\nhunter2`, 'hook.key:2: a signing secret has at least 24 bytes, this one 7'],
    [
      `whsk_hunter2${bytes.toString('base64')}`,
      'hook.key:1: is a key for asymmetric signatures, which are not made',
    ],
  ])('that holds %j is refused, and nothing of it is told', (text, message) => {
    const error = errorOf(() => parseSigningSecrets(text, 'hook.key'));
    expect(error.toReason()).toEqual({
      type: 'BadConfig',
      message,
      hint: 'make one with `echo "whsec_$(openssl rand -base64 32)"`, and give the receiver the same',
    });
  });
});
