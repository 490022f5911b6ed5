/** The syntax of a host's public key, as in known_hosts and in `ssh_host_ed25519_key.pub`. */
import { z } from 'zod';

const keyTypes = new Set([
  'ssh-ed25519',
  'ssh-rsa',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
]);

/** Why `text` is no public key; undefined when it is one. */
function hostKeyProblem(text: string): { message: string; hint: string } | undefined {
  const hint = 'copy the type and the key from /etc/ssh/ssh_host_ed25519_key.pub of the host';
  const [type = '', key = ''] = text.trim().split(/\s+/);
  if (!keyTypes.has(type)) {
    return keyTypes.has(key)
      ? { message: 'must begin with the type of the key', hint: `leave out \`${type}\`` }
      : { message: `must be \`TYPE KEY\`, where TYPE is one of ${[...keyTypes].join(', ')}`, hint };
  }
  if (key === '') return { message: `has no key after \`${type}\``, hint };
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(key)) return { message: 'the key is not base64', hint };
  const wire = Buffer.from(key, 'base64');
  const length = wire.length < 4 ? 0 : wire.readUInt32BE(0);
  if (wire.subarray(4, 4 + length).toString('latin1') !== type) {
    return { message: `the key is not of type ${type}, or is cut short`, hint };
  }
  // a name of 11 bytes and a point of 32, each behind its length
  if (type === 'ssh-ed25519' && wire.length !== 51)
    return { message: 'the key is cut short or too long', hint };
  return undefined;
}

/** Gives `TYPE KEY`, without a comment. */
export const hostKeySchema = z
  .string()
  .superRefine((text, context) => {
    const problem = hostKeyProblem(text);
    if (problem === undefined) return;
    context.addIssue({ code: 'custom', message: problem.message, params: { hint: problem.hint } });
  })
  .transform((text) => text.trim().split(/\s+/).slice(0, 2).join(' '));
