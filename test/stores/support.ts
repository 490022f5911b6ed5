/** What the tests of stores share: private folders, real keys and the real tools. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';
import { RotateError } from '../../domain/failure.js';
import { type AgeIdentity, parseIdentities } from '../../stores/age/identity.js';

// real tools on a busy machine: a test that takes long is not a test that fails
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

/** A folder of mode 0700 that goes away with the test. */
export async function privateFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rotate-stores-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs a tool with `input` on stdin; values and keys never stand in its arguments. */
export async function run(
  command: string,
  args: readonly string[],
  input: Uint8Array | string = '',
  env: NodeJS.ProcessEnv = process.env,
): Promise<Buffer> {
  const child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.on('error', () => {}); // a tool that refuses its arguments does not read its input
  child.stdin.end(input);
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject).on('close', resolve);
  });
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${Buffer.concat(err).toString()}`);
  return Buffer.concat(out);
}

export interface TestKey {
  /** Line of the `.pub` file, with comment and newline. */
  readonly publicLine: string;
  readonly publicFile: string;
  readonly privateFile: string;
  readonly privateText: string;
  readonly identities: AgeIdentity[];
}

/** A key made by ssh-keygen. `args` choose type, size and format. */
export async function sshKey(folder: string, ...args: readonly string[]): Promise<TestKey> {
  const privateFile = join(folder, `key-${args.join('')}-${Math.random().toString(36).slice(2)}`);
  await run('ssh-keygen', ['-q', '-N', '', '-C', 'alice@laptop', '-f', privateFile, ...args]);
  return readKey(privateFile, await readFile(`${privateFile}.pub`, 'utf8'));
}

/** An identity file made by age-keygen. */
export async function ageKey(folder: string): Promise<TestKey> {
  const privateFile = join(folder, `age-${Math.random().toString(36).slice(2)}.txt`);
  await run('age-keygen', ['-o', privateFile]);
  const publicLine = (await run('age-keygen', ['-y', privateFile])).toString();
  await writeFile(`${privateFile}.pub`, publicLine);
  return readKey(privateFile, publicLine);
}

async function readKey(privateFile: string, publicLine: string): Promise<TestKey> {
  const privateText = await readFile(privateFile, 'utf8');
  const identities = await parseIdentities(privateText, privateFile);
  return { publicLine, publicFile: `${privateFile}.pub`, privateFile, privateText, identities };
}

/** The RotateError that `action` ends with. */
export async function failureOf(action: () => unknown): Promise<RotateError> {
  try {
    await action();
  } catch (error) {
    if (error instanceof RotateError) return error;
    throw error;
  }
  throw new Error('it succeeded');
}
