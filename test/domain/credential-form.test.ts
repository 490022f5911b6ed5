import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeCredential, encodeCredential } from '../../domain/credential-form.js';
import { SecretValue } from '../../domain/secret-value.js';

test('a credential comes back as it was sealed', () => {
  const bytes = fc.uint8Array({ maxLength: 40 });
  const optional = fc.option(bytes, { nil: undefined });
  fc.assert(
    fc.property(
      bytes,
      optional,
      fc.option(fc.string(), { nil: undefined }),
      fc.array(bytes),
      (value, verifier, account, previous) => {
        const back = decodeCredential(
          encodeCredential({
            value: new SecretValue(value),
            ...(verifier === undefined ? {} : { verifier: new SecretValue(verifier) }),
            ...(account === undefined ? {} : { account }),
            previous: previous.map((each) => new SecretValue(each)),
          }),
        );
        expect(back?.value.bytes()).toEqual(value);
        expect(back?.verifier?.bytes()).toEqual(verifier);
        expect(back?.account).toBe(account);
        expect(back?.previous?.map((each) => each.bytes())).toEqual(previous);
      },
    ),
  );
});

test.each(['{}', '[]', 'null', '{"value":1}', '{"value":"","account":2}', '{"value":"","previous":"x"}'])(
  'what has another shape is none: %s',
  (text) => {
    expect(decodeCredential(new TextEncoder().encode(text))).toBeUndefined();
  },
);
