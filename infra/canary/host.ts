/** How the search reaches a host of the lab: over SSH as an operator would, and its files from outside. */
import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

export interface CanaryHost {
  name: string;
  /** The lab's folder of the host (`hosts/NAME`). */
  folder: string;
  /** The lab's `ssh/config`, which names the host. */
  sshConfig: string;
}

/** The hosts of a lab, from what `lab.sh inventory` prints. */
export function hostsOf(inventory: {
  state: string;
  sshConfig: string;
  hosts: readonly { name: string }[];
}): CanaryHost[] {
  return inventory.hosts.map(({ name }) => ({
    name,
    folder: join(inventory.state, 'hosts', name),
    sshConfig: inventory.sshConfig,
  }));
}

interface Script {
  ssh: ChildProcessByStdio<Writable, Readable, Readable>;
  /** Ends with it. @throws Error when it could not be reached or has failed */
  ended: () => Promise<void>;
}

function start(host: CanaryHost, script: string): Script {
  const ssh = spawn('ssh', ['-F', host.sshConfig, `root@${host.name}`, script], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const closed = once(ssh, 'close');
  let complaint = '';
  ssh.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-1000);
  });
  // A script that does not read its input ends before it is written.
  ssh.stdin.on('error', () => undefined);
  return {
    ssh,
    async ended() {
      const [code] = await closed;
      if (code !== 0)
        throw new Error(`${host.name}: exit code ${String(code)} of: ${script}: ${complaint.trim()}`);
    },
  };
}

/**
 * What `script` prints, run by root's shell on `host` with `input` on stdin (where a decoy belongs: a command
 * line is seen by all).
 * @throws Error when it cannot be reached or the script fails
 */
export async function* streamFrom(host: CanaryHost, script: string, input = ''): AsyncGenerator<Buffer> {
  const { ssh, ended } = start(host, script);
  ssh.stdin.end(input);
  for await (const chunk of ssh.stdout) yield chunk;
  await ended();
}

/**
 * Runs `work` once `script` has printed so many lines on `host`; its stdin, `input` first, stays open as long.
 * @throws Error when it cannot be reached or the script fails
 */
export async function whileRunningOn(
  host: CanaryHost,
  { script, input, lines }: { script: string; input: string; lines: number },
  work: () => Promise<unknown>,
): Promise<void> {
  const { ssh, ended } = start(host, script);
  ssh.stdin.write(input);
  try {
    await Promise.race([printed(ssh.stdout, lines), ended()]);
    ssh.stdout.resume();
    await work();
  } finally {
    ssh.stdin.end();
  }
  await ended();
}

async function printed(output: Readable, lines: number): Promise<void> {
  let seen = 0;
  while (seen < lines) {
    const [chunk] = await once(output, 'data');
    seen += String(chunk).split('\n').length - 1;
  }
}

/** As {@link streamFrom}, collected. */
export async function runOn(host: CanaryHost, script: string, input = ''): Promise<string> {
  const parts: Buffer[] = [];
  for await (const chunk of streamFrom(host, script, input)) parts.push(chunk);
  return Buffer.concat(parts).toString();
}
