/**
 * A vendor that keeps the values it accepts in a file, with the commands that its customer has written for it:
 * scripts on disk, run as real processes. Each writes down what everyone on the machine could see of it.
 */
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RemoteHost } from '../../../domain/remote.js';
import { SecretValue } from '../../../domain/secret-value.js';
import type { KindContext } from '../../../kinds/kind.js';
import { type ManualSettings, manualSchema } from '../../../kinds/manual/schema.js';
import { declaredCommands } from '../../../worker/declared-commands.js';
import { hostAccess, localHost } from '../postgres/local-host.js';

/** Every script: reads the value, tells what can be seen of it, and does what it was told to do instead. */
const prologue = `#!/bin/sh
cd "$(dirname "$0")" || exit 9
IFS= read -r value
exec 9>lock; flock 9
basename "$0" >>calls
p=$$
while [ "$p" -gt 1 ] && [ "$p" != "$(cat test-pid)" ]; do
  cat "/proc/$p/cmdline" "/proc/$p/environ" | tr '\\0' '\\n' >>seen
  p=$(sed -n 's/^PPid:[^0-9]*//p' "/proc/$p/status")
done
if [ -e "hang-$(basename "$0")" ]; then sleep 60; fi
if [ -e "exit-$(basename "$0")" ]; then echo "output with $value"; echo "error with $value" >&2; exit "$(cat "exit-$(basename "$0")")"; fi
is_there() { printf '%s\\n' "$value" | grep -Fxq -f - accepted; }
`;

/** The value stands in no argument: \`printf\` is a part of the shell. */
const scripts = {
  'vendor-check': 'is_there || exit 1',
  'vendor-add': `is_there || printf '%s\\n' "$value" >>accepted`,
  'vendor-remove': `printf '%s\\n' "$value" | grep -Fxv -f - accepted >rest; mv rest accepted`,
  'vendor-set': `printf '%s\\n' "$value" >accepted`,
} as const;

export type Script = keyof typeof scripts;

export interface Vendor {
  /** Absolute path of a script. */
  path(script: Script): string;
  accepts(): Promise<string[]>;
  accept(...values: string[]): Promise<void>;
  /** From now on the script does nothing and ends with this; undefined: does what it should. */
  ends(script: Script, code: number | undefined): Promise<void>;
  hangs(script: Script): Promise<void>;
  /** What was run since the last time, in order. */
  calls(): Promise<string[]>;
  /** Arguments and environments of the scripts' processes and of those that have started them, up to the test's. */
  seen(): Promise<string>;
  remove(): Promise<void>;
}

export async function makeVendor(): Promise<Vendor> {
  const folder = await mkdtemp(join(tmpdir(), 'rotate-vendor-'));
  const at = (name: string): string => join(folder, name);
  await chmod(folder, 0o755);
  await writeFile(at('accepted'), '');
  await writeFile(at('calls'), '');
  await writeFile(at('seen'), '');
  await writeFile(at('test-pid'), String(process.pid));
  for (const [name, body] of Object.entries(scripts))
    await writeFile(at(name), `${prologue}${body}\n`, { mode: 0o755 });
  const take = async (name: string): Promise<string> => {
    const text = await readFile(at(name), 'utf8');
    await writeFile(at(name), '');
    return text;
  };
  const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');
  return {
    path: at,
    accepts: async () => lines(await readFile(at('accepted'), 'utf8')).toSorted(),
    accept: (...values) => writeFile(at('accepted'), values.map((value) => `${value}\n`).join('')),
    async ends(script, code) {
      if (code === undefined) await rm(at(`exit-${script}`), { force: true });
      else await writeFile(at(`exit-${script}`), String(code));
    },
    hangs: (script) => writeFile(at(`hang-${script}`), ''),
    calls: async () => lines(await take('calls')),
    seen: () => take('seen'),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

export interface Bench {
  vendor: Vendor;
  context: KindContext;
  current: { value: SecretValue };
  /** What a person brings. */
  brought: { value: SecretValue };
}

export const rotation = '01JDABCDEF';

/** A secret in use at a vendor of its own. */
export async function makeBench(
  hosts: readonly RemoteHost[] = [localHost('mail-1'), localHost('web-1')],
): Promise<Bench> {
  const vendor = await makeVendor();
  const old = `old-${randomBytes(12).toString('hex')}`;
  await vendor.accept(old);
  const commands = declaredCommands(
    Object.fromEntries(
      (Object.keys(scripts) as Script[]).map((name) => [
        name,
        { argv: [vendor.path(name), '--decoy', 'decoy-argument'], timeoutMs: 10_000 },
      ]),
    ),
    { ...process.env, ROTATE_DECOY: 'not for commands' },
  );
  const { signal } = new AbortController();
  return {
    vendor,
    current: { value: SecretValue.fromText(old) },
    brought: { value: SecretValue.fromText(`new-${randomBytes(12).toString('hex')}`) },
    context: {
      secret: { environment: 'prod', name: 'smtp' },
      rotation,
      hosts: hostAccess(...hosts),
      login: async () => SecretValue.fromText(''),
      command: (name, input) => commands.run(name, input, signal),
      commands: commands.names,
      consumers: ['web-1'],
      signal,
    },
  };
}

export function settings(block: unknown): ManualSettings {
  return manualSchema.parse(block);
}

/** A block for one of the vendor's scripts. */
export function onHost(vendor: Vendor, script: Script, on = 'mail-1'): { command: string[]; on: string } {
  return { command: [vendor.path(script), '--decoy', 'decoy-argument'], on };
}

export function onWorker(script: Script): { command: string; on: string } {
  return { command: script, on: 'worker' };
}
