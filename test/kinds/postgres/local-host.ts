/**
 * The machine that runs the test, as a host: scripts run in a real shell as a real
 * system user, forwarded connections are real. Only SSH is left out; the
 * end-to-end tests have it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { RotateError } from '../../../domain/failure.js';
import type { HostAccess, RemoteCommand, RemoteHost, RemoteResult } from '../../../domain/remote.js';
import { asSystemUser } from './server.js';

/** As on a NixOS host: coreutils and a shell, no psql. */
const path = '/usr/sbin:/usr/bin:/sbin:/bin';

export interface LocalHost extends RemoteHost {
  /** What was run, for a search of what must not be in it. */
  readonly ran: RemoteCommand[];
}

export function localHost(name: string): LocalHost {
  const ran: RemoteCommand[] = [];
  return {
    name,
    ran,
    async run(command): Promise<RemoteResult> {
      ran.push(command);
      const [program, argv] = asSystemUser(
        ['env', '-i', `PATH=${path}`, 'sh', '-c', command.script, 'sh', ...(command.args ?? [])],
        command.as,
      );
      const child = spawn(program, argv, {
        timeout: command.timeoutMs,
        ...(command.signal === undefined ? {} : { signal: command.signal }),
      });
      let stdout = '';
      let stderr = '';
      child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
      child.stdin.on('error', () => undefined);
      child.stdin.end(command.input);
      const [code] = (await once(child, 'close')) as [number | null];
      if (code === null) throw new RotateError('Timeout', `${name}: a command was killed`);
      return { code, stdout, stderr };
    },
    async forward(address, port) {
      const socket = connect(port, address);
      try {
        await once(socket, 'connect');
      } catch (error) {
        throw new RotateError('IssuerUnreachable', `${name} cannot connect to ${address}:${port}`, {
          cause: error,
        });
      }
      return socket;
    },
  };
}

export function hostAccess(...hosts: readonly RemoteHost[]): HostAccess {
  return {
    host(name) {
      const host = hosts.find((candidate) => candidate.name === name);
      if (host === undefined) throw new RotateError('UnknownHost', `no host ${name}`);
      return host;
    },
  };
}
