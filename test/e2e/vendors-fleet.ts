/** Secrets of the example's fleet whose other side is a vendor, and a worker that tells people what happens. */
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { commit, deploy, type Example } from '../../infra/fleet/example.js';
import { run } from '../../infra/fleet/run.js';
import type { Vendor } from '../kinds/http/vendor-server.js';

const file = (name: string): string => `secrets/prod/${name}.age`;
const names = ['mail-key', 'paste-key'] as const;

/** Asks the vendor whether it accepts the value on standard input; bash speaks HTTP where there is no curl. */
const check = `#!/bin/bash
IFS= read -r value
exec 3<>"/dev/tcp/$1/$2" || exit 2
printf 'GET /v1/whoami HTTP/1.1\\r\\nHost: vendor\\r\\nAuthorization: Bearer %s\\r\\nConnection: close\\r\\n\\r\\n' "$value" >&3
read -r _ status _ <&3
case $status in
  200) exit 0 ;;
  401 | 403) exit 1 ;;
  *) exit 2 ;;
esac
`;

export interface Outside {
  vendor: Vendor;
  /** Of the webhook's receiver. */
  hook: string;
}

/**
 * Adds `mail-key` (http) and `paste-key` (manual), with a schedule for the first and for one that cannot be planned.
 * @returns the signing secret of the webhook
 */
export async function addVendors(example: Example, { vendor, hook }: Outside): Promise<string> {
  const { clone, env, state, lab } = example;
  vendor.add('somebody else');
  const values = { 'mail-key': vendor.add('mail').value, 'paste-key': vendor.add('paste').value };

  const rules = join(clone, 'secrets/prod/secrets.nix');
  const keys = /\[\n([\s\S]*?)\n {2}\]/.exec(await readFile(rules, 'utf8'))?.[1] ?? '';
  const recipients = [...keys.matchAll(/"([^"]+)"/g)].flatMap((m) => ['-r', m[1] ?? '']);
  const rule = (name: string): string => `  "${name}.age".publicKeys = [\n${keys}\n  ];\n`;
  await writeFile(rules, `{\n${['db-password', 'lost', ...names].map(rule).join('')}}\n`);
  const seal = (name: string, input: string): Promise<unknown> =>
    run('age', [...recipients, '-o', join(clone, file(name))], { input, env });
  await seal('mail-key', `MAIL_KEY=${values['mail-key']}\nOTHER=kept\n`);
  await seal('paste-key', values['paste-key']);
  await seal('lost', 'nobody reads it');

  const hosts: Record<string, Record<string, Record<string, unknown>>> = JSON.parse(
    await readFile(join(clone, 'hosts.json'), 'utf8'),
  );
  for (const name of ['web-1', 'web-2']) {
    const host = (hosts[name] ??= {});
    const secrets = names.map((each) => [
      each,
      { file: file(each), owner: 'app', group: 'app', mode: '0400' },
    ]);
    host['secrets'] = { ...host['secrets'], ...Object.fromEntries(secrets) };
    host['services'] = {
      ...host['services'],
      mailer: {
        wantedBy: ['multi-user.target'],
        serviceConfig: {
          User: 'app',
          ExecStart: '/usr/bin/sleep infinity',
          EnvironmentFile: '@path:mail-key@',
        },
      },
    };
  }
  await writeFile(join(clone, 'hosts.json'), `${JSON.stringify(hosts, null, 2)}\n`);

  const config: { secrets: { prod: Record<string, unknown> }; schedules?: unknown } = parse(
    await readFile(join(clone, 'rotate.yaml'), 'utf8'),
  );
  const consumers = [{ hosts: ['@web'], units: ['mailer.service'] }];
  const { hostname, port } = new URL(vendor.origin);
  Object.assign(config.secrets.prod, {
    'mail-key': {
      kind: 'http',
      file: file('mail-key'),
      format: { env: 'MAIL_KEY' },
      consumers,
      http: {
        base: `${vendor.origin}/v1`,
        insecure: true,
        auth: { login: 'vendor-admin', headers: { authorization: 'Bearer {admin}' } },
        list: { get: '/keys', ids: '/data/*/id', labels: '/data/*/name' },
        create: { post: '/keys', body: { name: '{label}' }, value: '/secret', id: '/id' },
        check: {
          get: '/whoami',
          headers: { authorization: 'Bearer {value}' },
          accepted: [200],
          refused: [401, 403],
        },
        identify: { get: '/whoami', headers: { authorization: 'Bearer {value}' }, id: '/key/id' },
        disable: { patch: '/keys/{id}', body: { active: false } },
        enable: { patch: '/keys/{id}', body: { active: true } },
        delete: { delete: '/keys/{id}' },
      },
    },
    'paste-key': {
      kind: 'manual',
      file: file('paste-key'),
      consumers,
      manual: {
        overlap: 'dual',
        check: { command: ['/usr/local/bin/vendor-check', hostname, port], on: 'consumers', as: 'nobody' },
        revoke: { checklist: 'console.vendor.example, Keys: delete the older one' },
        minLength: 20,
      },
    },
    // Nobody is said to read it, so that nothing could be proven of it.
    lost: { kind: 'token', file: file('lost'), token: { hex: 24 } },
  });
  config.schedules = {
    daily: { environment: 'prod', secrets: ['mail-key', 'lost'], every: '1d', reason: 'as the audit wants' },
  };
  await writeFile(join(clone, 'rotate.yaml'), stringify(config));

  const signingSecret = `whsec_${randomBytes(32).toString('base64')}`;
  const [admin, signing] = [join(clone, '..', 'vendor-admin'), join(clone, '..', 'hook.key')];
  await writeFile(admin, `${vendor.adminToken}\n`, { mode: 0o600 });
  await writeFile(signing, `${signingSecret}\n`, { mode: 0o600 });
  const worker = parse(await readFile(state.workerConfig, 'utf8')) as object;
  await writeFile(
    state.workerConfig,
    stringify({
      ...worker,
      logins: { 'vendor-admin': { file: admin, to: [vendor.origin] } },
      notify: { channels: { ops: { webhook: { url: hook, secretFile: signing } } } },
    }),
    { mode: 0o600 },
  );

  await commit(example, 'Describe secrets of vendors');
  await Promise.all(
    ['web-1', 'web-2'].map(async (name) => {
      await lab.ssh(name, 'cat > /usr/local/bin/vendor-check; chmod 755 /usr/local/bin/vendor-check', {
        input: check,
      });
      await deploy(example, name);
    }),
  );
  return signingSecret;
}
