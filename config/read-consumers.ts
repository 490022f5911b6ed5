/** Reads `consumers` and `verify` of a secret. */
import type { ConsumerSpec, ProbeSpec } from '../domain/spec.js';
import type { Reader } from './fields.js';
import { expandHosts } from './host-refs.js';
import type { KeyPath } from './problem.js';
import type { Fleet } from './read-fleet.js';
import { consumerShape, probeShape } from './rotate-shapes.js';

const defaultCommandTimeoutMs = 30_000;

export function readConsumers(
  reader: Reader,
  fleet: Fleet,
  path: KeyPath,
  environment: string,
): ConsumerSpec[] {
  const consumers: ConsumerSpec[] = [];
  const seen = new Set<string>();
  for (let i = 0; i < reader.count(path); i++) {
    const at = [...path, i];
    const { hosts, units, action } = reader.fields(consumerShape, at);
    const names = hosts === undefined ? [] : expandHosts(reader, fleet, [...at, 'hosts'], hosts, environment);
    if (units === undefined || action === undefined) continue;
    for (const [j, unit] of units.entries()) {
      const twice =
        names.find((name) => seen.has(`${name} ${unit}`)) ?? (units.indexOf(unit) < j ? 'it' : undefined);
      if (twice !== undefined) {
        reader.problem(
          [...at, 'units', j],
          `unit \`${unit}\` is listed twice for ${twice === 'it' ? 'these hosts' : `host \`${twice}\``}`,
          {
            hint: 'name each unit of a host once, with one action',
          },
        );
      }
    }
    for (const name of names) for (const unit of units) seen.add(`${name} ${unit}`);
    consumers.push({ hosts: names, units, action });
  }
  return consumers;
}

export function readProbes(reader: Reader, path: KeyPath): ProbeSpec[] {
  const probes: ProbeSpec[] = [];
  for (let i = 0; i < reader.count(path); i++) {
    const probe = readProbe(reader, [...path, i]);
    if (probe !== undefined) probes.push(probe);
  }
  return probes;
}

function readProbe(reader: Reader, path: KeyPath): ProbeSpec | undefined {
  const before = reader.problems.length;
  const { http, tcp, command, timeout } = reader.fields(probeShape, path);
  if (reader.problems.length > before) return undefined;
  const given = [http, tcp, command].filter((probe) => probe !== undefined);
  if (given.length !== 1) {
    reader.problem(path, given.length === 0 ? 'says nothing to probe' : 'says more than one probe', {
      hint: 'each entry has exactly one of `http`, `tcp` and `command`',
    });
    return undefined;
  }
  if (timeout !== undefined && command === undefined) {
    reader.problem([...path, 'timeout'], '`timeout` is for `command` only', {
      at: 'key',
      hint: 'remove `timeout`',
    });
    return undefined;
  }
  if (http !== undefined) {
    return typeof http === 'string' ? { type: 'http', url: http, status: 200 } : { type: 'http', ...http };
  }
  if (tcp !== undefined) return { type: 'tcp', ...tcp };
  const argv = typeof command === 'string' ? ['/bin/sh', '-c', command] : (command ?? []);
  return { type: 'command', argv, timeoutMs: timeout ?? defaultCommandTimeoutMs };
}
