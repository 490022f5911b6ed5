/**
 * Addresses, logins, refs and URLs as other programs take them. Nothing here may
 * begin with `-`, where ssh and git would read an option.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { hasControl } from './scalars.js';

function isHostName(text: string): boolean {
  return /^(?!-)[A-Za-z0-9_-]{1,63}(\.(?!-)[A-Za-z0-9_-]{1,63})*\.?$/.test(text);
}

/** A name or an IP address, without a port. */
export const addressSchema = z
  .string()
  .refine((text) => isHostName(text) || isIP(text.replace(/%\w+$/, '')) !== 0, {
    error: 'must be a host name or an IP address',
    params: { hint: 'the port has a key of its own, and an IPv6 address needs no brackets' },
  });

export const portSchema = z
  .int({ error: 'must be a port number' })
  .min(1, 'must be a port number, 1 to 65535')
  .max(65_535, 'must be a port number, 1 to 65535');

/** A login name on a host. */
export const userSchema = z.string().regex(/^[A-Za-z_][A-Za-z0-9._-]{0,31}\$?$/, {
  error: 'must be a login name',
});

/** Splits `host:port` and `[ipv6]:port`; undefined for anything else. */
export function parseHostPort(text: string): { address: string; port: number } | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const address = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (address === undefined || port < 1 || port > 65_535) return undefined;
  const valid = match?.[1] === undefined ? isHostName(address) || isIP(address) === 4 : isIP(address) === 6;
  return valid ? { address, port } : undefined;
}

export const hostPortSchema = z
  .string()
  .refine((text) => parseHostPort(text) !== undefined, {
    error: 'must be `host:port`',
    params: { hint: 'for example `127.0.0.1:5432` or `[::1]:5432`' },
  })
  .transform((text) => parseHostPort(text) ?? { address: text, port: 0 });

/** An http or https URL without a login in it. */
export const httpUrlSchema = z.string().superRefine((text, context) => {
  const fail = (message: string, hint: string): void => {
    context.addIssue({ code: 'custom', message, params: { hint } });
  };
  if (!URL.canParse(text) || !/^https?:\/\//i.test(text)) {
    fail('must be an http or https URL', 'for example `http://127.0.0.1:8080/health`');
    return;
  }
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') {
    fail(
      'must not contain a login',
      'this file is in the repo: use a path that needs none, or a `command` probe',
    );
  }
});

/** A branch, by the rules of git-check-ref-format; our own branches are not for building hosts. */
export const branchSchema = z.string().superRefine((name, context) => {
  const parts = name.split('/');
  const bad =
    name === '' ||
    name === '@' ||
    hasControl(name) ||
    /[ ~^:?*[\\]|\.\.|@\{|\.$/.test(name) ||
    name.startsWith('-') ||
    parts.some((part) => part === '' || part.startsWith('.') || part.endsWith('.lock'));
  if (bad) {
    context.addIssue({
      code: 'custom',
      message: 'is not the name of a branch',
      params: { hint: 'for example `main`' },
    });
  } else if (name === 'rotate-log' || parts[0] === 'rotate') {
    context.addIssue({
      code: 'custom',
      message: `\`${name}\` is a branch that rotate itself writes`,
      params: { hint: 'name the branch that hosts are built from' },
    });
  }
});

const unitTypes = 'service|socket|target|timer|mount|automount|swap|path|slice|scope|device';
const unitPattern = new RegExp(String.raw`^(?!-)[A-Za-z0-9:_.\\@-]+\.(?:${unitTypes})$`);

/** A systemd unit with its suffix; of a template, an instance. */
export const unitSchema = z.string().superRefine((unit, context) => {
  const fail = (message: string, hint: string): void => {
    context.addIssue({ code: 'custom', message, params: { hint } });
  };
  if (!unitPattern.test(unit) || unit.length > 255) {
    const bare = /^[A-Za-z0-9][A-Za-z0-9:_@-]*$/.test(unit);
    fail(
      `\`${unit}\` is not the name of a unit`,
      bare ? `did you mean \`${unit}.service\`?` : 'for example `app.service`',
    );
  } else if (/@\./.test(unit)) {
    fail(
      `\`${unit}\` is a template, not a unit`,
      `name an instance, e.g. \`${unit.replace('@.', '@main.')}\``,
    );
  }
});
