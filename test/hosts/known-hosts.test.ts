import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isTrusted, trustedKeys } from '../../hosts/ssh/host-key.js';
import { lookUpKnownHosts, parseHostKey } from '../../hosts/ssh/known-hosts.js';

let folder: string;
const keys: Record<string, string> = {};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rotate-test-'));
  for (const type of ['ed25519', 'ecdsa', 'rsa']) {
    execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', '', '-f', join(folder, type)]);
    keys[type] = readFileSync(join(folder, `${type}.pub`), 'utf8').trim();
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

const types = (text: string, address: string, port = 22) =>
  lookUpKnownHosts(text, address, port).trusted.map((key) => key.type);

describe('known_hosts', () => {
  test('names hosts by lists, patterns and their exceptions', () => {
    const text = `# comment\n\n*.example.org,!old.example.org,10.0.0.? ${keys['ed25519']} a comment\nbroken\n`;
    expect(types(text, 'web.example.org')).toEqual(['ssh-ed25519']);
    expect(types(text, 'WEB.example.org')).toEqual(['ssh-ed25519']);
    expect(types(text, '10.0.0.7')).toEqual(['ssh-ed25519']);
    expect(types(text, 'old.example.org')).toEqual([]);
    expect(types(text, 'example.org')).toEqual([]);
    expect(types(text, 'webxexample.org')).toEqual([]);
  });

  test('hashed by ssh-keygen is found again, and only by that name', () => {
    const file = join(folder, 'hashed');
    writeFileSync(file, `10.0.0.1 ${keys['ed25519']}\n[10.0.0.1]:2222 ${keys['rsa']}\n`);
    execFileSync('ssh-keygen', ['-q', '-H', '-f', file]);
    const text = readFileSync(file, 'utf8');
    expect(text).not.toContain('10.0.0.1');
    expect(types(text, '10.0.0.1')).toEqual(['ssh-ed25519']);
    expect(types(text, '10.0.0.1', 2222)).toEqual(['ssh-rsa']);
    expect(types(text, '10.0.0.2')).toEqual([]);
  });

  test('an entry without a port counts for another port only when there is none for it', () => {
    expect(types(`h ${keys['rsa']}`, 'h', 2222)).toEqual(['ssh-rsa']);
    expect(types(`h ${keys['rsa']}\n[h]:2222 ${keys['ecdsa']}`, 'h', 2222)).toEqual(['ecdsa-sha2-nistp256']);
  });

  test('a revoked key is not trusted, however often it is listed', () => {
    const text = `h ${keys['ed25519']}\nh ${keys['rsa']}\n@revoked * ${keys['ed25519']}\n`;
    const host = {
      name: 'h',
      environment: 'e',
      address: 'h',
      port: 22,
      user: 'root',
      sudo: false,
      configuration: 'h',
      build: 'worker',
      tags: [],
    };
    const trusted = trustedKeys(host, { path: 'known_hosts', text });
    expect(trusted.algorithms).toEqual(['rsa-sha2-512', 'rsa-sha2-256']);
    const ed25519 = parseHostKey(keys['ed25519'] ?? '');
    const rsa = parseHostKey(keys['rsa'] ?? '');
    expect(ed25519 !== undefined && isTrusted(ed25519.blob, trusted)).toBe(false);
    expect(rsa !== undefined && isTrusted(rsa.blob, trusted)).toBe(true);
    expect(() =>
      trustedKeys(host, { path: 'known_hosts', text: `@cert-authority * ${keys['rsa']}` }),
    ).toThrow(/is unknown/);
  });

  test('a key whose name and content differ is none', () => {
    expect(parseHostKey((keys['rsa'] ?? '').replace('ssh-rsa', 'ssh-ed25519'))).toBeUndefined();
    expect(parseHostKey('ssh-ed25519 not/base64!')).toBeUndefined();
    expect(parseHostKey('ssh-ed25519')).toBeUndefined();
  });
});
