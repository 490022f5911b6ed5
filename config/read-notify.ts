/** Reads `notify` of `worker.yaml`: who is told what happens. */
import type { ChannelFilter } from '../domain/notification.js';
import { webhookUrlProblem } from '../domain/webhook-url.js';
import type { Reader } from './fields.js';
import { webhookShape } from './notify-shapes.js';
import type { KeyPath } from './problem.js';
import { checkName } from './read-fleet.js';

/** A text that stands in worker.yaml, or in a file on the worker. */
export type TextSource = { type: 'plain'; text: string } | { type: 'file'; path: string };

export interface WebhookSpec {
  type: 'webhook';
  url: TextSource;
  /** Absent: not signed. */
  secretFile?: string;
  format: 'json' | 'slack';
  headers: Readonly<Record<string, TextSource>>;
  /** Whether http:// may leave this machine. */
  insecure: boolean;
}

export interface ChannelSpec extends ChannelFilter {
  name: string;
  to: WebhookSpec;
}

export interface NotifySpec {
  channels: readonly ChannelSpec[];
}

/** @param absolute makes a path of the file absolute */
export function readNotify(reader: Reader, absolute: (path: string) => string): NotifySpec {
  reader.fields({}, ['notify'], ['channels']);
  const channels: ChannelSpec[] = [];
  for (const name of reader.keys(['notify', 'channels'])) {
    const path = ['notify', 'channels', name];
    checkName(reader, path);
    const before = reader.problems.length;
    reader.fields({}, path, ['webhook']);
    if (reader.problems.length > before) continue;
    if (reader.raw([...path, 'webhook']) === undefined) {
      reader.problem(path, 'says no way to reach anyone', {
        at: 'key',
        hint: 'add `webhook: { url: …, secretFile: … }`',
      });
      continue;
    }
    const channel = readWebhook(reader, [...path, 'webhook'], absolute);
    if (channel !== undefined) channels.push({ name, ...channel });
  }
  return { channels };
}

function readWebhook(
  reader: Reader,
  path: KeyPath,
  absolute: (path: string) => string,
): Omit<ChannelSpec, 'name'> | undefined {
  const before = reader.problems.length;
  const { url, urlFile, secretFile, format, headers, insecure, events, environments } = reader.fields(
    webhookShape,
    path,
  );
  if (reader.problems.length > before) return undefined;
  if ((url === undefined) === (urlFile === undefined)) {
    reader.problem(path, url === undefined ? 'says no URL' : 'says two URLs', {
      at: 'key',
      hint: 'each webhook has exactly one of `url` and `urlFile`',
    });
  }
  const problem = url === undefined ? undefined : webhookUrlProblem(url, insecure ?? false);
  if (problem !== undefined) reader.problem([...path, 'url'], problem.message, { hint: problem.hint });
  if (secretFile === undefined && format !== 'slack') {
    reader.problem(path, 'says no secret to sign with', {
      at: 'key',
      hint: 'add `secretFile: PATH`; only `format: slack` can do without',
    });
  }
  checkTwice(reader, [...path, 'headers']);
  const source = sourceOf(url, urlFile, absolute);
  if (reader.problems.length > before || source === undefined) return undefined;
  return {
    ...(events === undefined ? {} : { events }),
    ...(environments === undefined ? {} : { environments }),
    to: {
      type: 'webhook',
      url: source,
      ...(secretFile === undefined ? {} : { secretFile: absolute(secretFile) }),
      format: format ?? 'json',
      headers: Object.fromEntries(
        Object.entries(headers ?? {}).map(([name, value]) => [
          name,
          typeof value === 'string'
            ? { type: 'plain', text: value }
            : { type: 'file', path: absolute(value.file) },
        ]),
      ),
      insecure: insecure ?? false,
    },
  };
}

function sourceOf(
  text: string | undefined,
  file: string | undefined,
  absolute: (path: string) => string,
): TextSource | undefined {
  if (text !== undefined) return { type: 'plain', text };
  return file === undefined ? undefined : { type: 'file', path: absolute(file) };
}

/** Names of headers that differ in their case only. */
function checkTwice(reader: Reader, path: KeyPath): void {
  const seen = new Set<string>();
  for (const name of reader.keys(path)) {
    if (seen.has(name.toLowerCase())) {
      reader.problem([...path, name], 'stands here twice', {
        at: 'key',
        hint: 'upper and lower case are the same in names of headers: remove one of them',
      });
    }
    seen.add(name.toLowerCase());
  }
}
