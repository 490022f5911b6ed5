/** A vendor with a key in use, one of somebody else's, and the settings that describe it. */
import { RotateError } from '../../../domain/failure.js';
import type { Credential } from '../../../domain/credential.js';
import type { RemoteHost } from '../../../domain/remote.js';
import { SecretValue } from '../../../domain/secret-value.js';
import type { KindContext } from '../../../kinds/kind.js';
import { type HttpSettings, httpSchema } from '../../../kinds/http/schema.js';
import { noCommand } from '../no-command.js';
import { hostAccess, localHost } from '../postgres/local-host.js';
import type { StoredKey, Vendor } from './vendor-server.js';

export interface HttpFixture {
  context: KindContext;
  settings: HttpSettings;
  current: Credential;
  host: string;
  /** The key in use, as the vendor has it. */
  used: StoredKey;
  /** Somebody else's key, which no rotation may touch. */
  stranger: StoredKey;
}

export const rotation = '01JAB2C3D4E5F6G7H8J9K0M1N2';

/** As somebody would write it into rotate.yaml. */
export const labelled = {
  auth: { login: 'vendor-admin', headers: { authorization: 'Bearer {admin}' } },
  list: { get: '/keys', ids: '/data/*/id', labels: '/data/*/name' },
  create: { post: '/keys', body: { name: '{label}', tags: ['rotate'] }, value: '/secret', id: '/id' },
  check: {
    get: '/whoami',
    headers: { authorization: 'Bearer {value}' },
    accepted: [200],
    refused: [401, 403],
  },
  disable: { post: '/keys/{id}/disable' },
  enable: { post: '/keys/{id}/enable' },
  delete: { delete: '/keys/{id}' },
};

/** A vendor that shows no labels, cannot disable, and is asked which key a value is. */
export const plain = {
  auth: labelled.auth,
  list: { get: '/keys', ids: '/data/*/id' },
  create: { post: '/keys', body: { name: 'made by rotate' }, value: '/secret', id: '/id' },
  check: labelled.check,
  identify: { get: '/whoami', headers: { authorization: 'Bearer {value}' }, id: '/key/id' },
  delete: labelled.delete,
};

/** Empties the vendor. */
export function fixture(
  vendor: Vendor,
  block: object = labelled,
  hosts: readonly RemoteHost[] = [localHost('web-1')],
): HttpFixture {
  vendor.clear();
  const stranger = vendor.add('somebody else');
  const used = vendor.add('made by hand');
  return {
    host: 'web-1',
    settings: httpSchema.parse({ base: `${vendor.origin}/v1`, ...block }),
    current: { account: used.id, value: SecretValue.fromText(used.value) },
    used,
    stranger,
    context: {
      secret: { environment: 'prod', name: 'api-key' },
      rotation,
      hosts: hostAccess(...hosts),
      async login(name) {
        if (name !== 'vendor-admin') throw new RotateError('BadConfig', `no login ${name}`);
        return SecretValue.fromText(`${vendor.adminToken}\n`);
      },
      command: noCommand,
      signal: new AbortController().signal,
    },
  };
}
