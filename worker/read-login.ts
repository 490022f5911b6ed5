/** Admin logins of the worker: where they are read, and to whom they may be sent. */
import { readFile } from 'node:fs/promises';
import { checkPrivateFile } from '../config/private-file.js';
import type { LoginSpec } from '../config/worker-yaml.js';
import { RotateError } from '../domain/failure.js';
import { SecretValue } from '../domain/secret-value.js';
import type { Clone } from '../repo/clone.js';
import { openWithKeyring } from '../stores/age/file.js';
import type { AgeIdentity } from '../stores/age/identity.js';

/**
 * One of `logins`, without the newline that editors leave.
 *
 * @param to the origin that it will be sent to; absent: the server that it names itself
 * @param fromStore reads an encrypted file of the repo
 * @throws RotateError BadConfig when there is none, or it may not be sent there
 */
export async function readLogin(
  logins: Readonly<Record<string, LoginSpec>>,
  { name, to }: { name: string; to: string | undefined },
  fromStore: (path: string) => Promise<SecretValue>,
): Promise<SecretValue> {
  const login = logins[name];
  if (login === undefined) {
    throw new RotateError('BadConfig', `worker.yaml has no login \`${name}\``, {
      hint: `logins are: ${Object.keys(logins).join(', ') || 'none'}`,
    });
  }
  // Where it goes is said by main, which whoever pushes there decides; a login is the worker's own.
  if (to !== undefined && login.to?.includes(to) !== true) {
    throw new RotateError('BadConfig', `login \`${name}\` may not be sent to ${to}`, {
      hint:
        login.to === undefined
          ? `if it is that vendor’s, add \`to: [${to}]\` to the login in worker.yaml, and restart the worker`
          : `worker.yaml lets it be sent to ${login.to.join(', ')} only; see \`base\` of the secret in rotate.yaml`,
    });
  }
  if (login.type === 'store') return SecretValue.fromText((await fromStore(login.path)).text().trimEnd());
  await checkPrivateFile(login.path, `the file of login \`${name}\``);
  const text = await readFile(login.path, 'utf8');
  return SecretValue.fromText(text.trimEnd());
}

/** A login that lies in the repo, encrypted: as the main branch has it. @throws RotateError CannotOpen, BadConfig */
export async function readFromStore(
  clone: Clone,
  keyring: readonly AgeIdentity[],
  { branch, path }: { branch: string; path: string },
): Promise<SecretValue> {
  const tip = await clone.tip(branch);
  const bytes = tip === undefined ? undefined : await clone.readBlob(tip, path);
  if (bytes === undefined) {
    throw new RotateError(
      'BadConfig',
      `worker.yaml names ${path} for a login, but branch \`${branch}\` does not have it`,
      { hint: 'commit and push the encrypted file, or set `logins` in worker.yaml right' },
    );
  }
  return (await openWithKeyring(bytes, keyring, path)).value;
}
