/**
 * The user's own probes, made from a consumer host. HTTP and TCP go through the
 * host's SSH connection, because a NixOS host need not have curl.
 */
import { request } from 'node:http';
import type { Duplex } from 'node:stream';
import { RotateError } from '../domain/failure.js';
import { systemReason } from '../domain/system-error.js';
import type { RemoteHost } from '../domain/remote.js';
import type { ProbeSpec } from '../domain/spec.js';

const timeoutMs = 10_000;

/**
 * @returns what was seen, e.g. `http://127.0.0.1:8080/health answered 200`
 * @throws RotateError VerifyFailed
 */
export async function runProbe(host: RemoteHost, probe: ProbeSpec, signal: AbortSignal): Promise<string> {
  switch (probe.type) {
    case 'tcp': {
      const socket = await host.forward(probe.address, probe.port);
      socket.destroy();
      return `tcp ${probe.address}:${probe.port} accepts`;
    }
    case 'http': {
      const status = await httpStatus(host, probe.url, signal);
      if (status !== probe.status) {
        throw failed(host, `${probe.url} answered ${status}, not ${probe.status}`);
      }
      return `${probe.url} answered ${status}`;
    }
    case 'command': {
      const { code } = await host.run({
        script: 'exec "$@"',
        args: probe.argv,
        timeoutMs: probe.timeoutMs,
        signal,
      });
      // Its output may hold anything, a secret too.
      if (code !== 0) throw failed(host, `\`${probe.argv[0] ?? ''}\` ended with ${code}`);
      return `\`${probe.argv[0] ?? ''}\` ended with 0`;
    }
    default:
      return probe satisfies never;
  }
}

function failed(host: RemoteHost, message: string): RotateError {
  return new RotateError('VerifyFailed', `${host.name}: the probe failed: ${message}`, {
    host: host.name,
    hint: `try it on ${host.name}, and see what the unit behind it logs`,
  });
}

async function httpStatus(host: RemoteHost, url: string, signal: AbortSignal): Promise<number> {
  const target = new URL(url);
  const port = target.port === '' ? (target.protocol === 'https:' ? 443 : 80) : Number(target.port);
  const name = target.hostname.replace(/^\[(.*)\]$/, '$1');
  const channel = await host.forward(name, port);
  const socket: Duplex =
    target.protocol === 'https:'
      ? await secure(channel, name).catch((error: unknown) => {
          throw failed(host, `${url}: TLS fails: ${systemReason(error)}`);
        })
      : channel;
  try {
    return await new Promise<number>((resolve, reject) => {
      const ask = request(
        url.replace(/^https:/, 'http:'),
        {
          createConnection: () => socket,
          headers: { host: target.host, connection: 'close' },
          timeout: timeoutMs,
          signal,
        },
        (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        },
      );
      ask.on('timeout', () => ask.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)));
      ask.on('error', (error) => reject(failed(host, `${url}: ${error.message}`)));
      ask.end();
    });
  } finally {
    socket.destroy();
  }
}

async function secure(channel: Duplex, name: string): Promise<Duplex> {
  const { connect } = await import('node:tls');
  return new Promise((resolve, reject) => {
    const socket = connect({ socket: channel, servername: name }, () => resolve(socket));
    socket.on('error', reject);
  });
}
