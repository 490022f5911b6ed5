/** What travels as one payload stays small. */
import { expect, test } from 'vitest';

import { generateCodecKey, makeCodecKeyring, parseCodecKeys } from '../../codec/keyring.js';
import { makePayloadCodec } from '../../codec/payload-codec.js';
import { decide } from '../../domain/decide.js';
import type { Command, CommandFacts, Journal } from '../../domain/journal.js';
import { forNextRun, memoOf, showHost } from '../../domain/progress.js';
import { finish, record, register } from '../../domain/record.js';
import { startJournal } from '../../domain/start.js';
import type { ProofLine } from '../../domain/status.js';
import { makePlan } from '../workflows/support/plans.js';

const hosts = Array.from({ length: 50 }, (_, i) => `web-${String(i + 1).padStart(2, '0')}`);
const at = '2026-11-23T18:00:00.000Z';
let ticks = 0;
/** No two reports of hosts are of the same moment. */
const tick = (): string => new Date(Date.parse(at) + (ticks += 137)).toISOString();
const store = '/nix/store/abcdfghijklmnpqrsvwxyz0123456789-nixos-system-';
const proof = (host: string): ProofLine => ({
  claim: 'the new value logs in',
  host,
  endpoint: 'db-1.example.org:5432',
  result: 'passed',
  at,
  evidence: 'accepted as app_b',
});

function facts(c: Command): CommandFacts {
  switch (c.do) {
    case 'preflight':
      return {
        epoch: 1,
        base: 'c'.repeat(40),
        secrets: [{ name: 'db', old: 's'.repeat(400) }],
        hosts: hosts.map((name) => ({
          name,
          old: `${store}${name}-old`,
          files: [
            { secret: 'db', path: '/run/agenix/db-password', owner: 'app', group: 'app', mode: '0400' },
          ],
        })),
        proof: hosts.flatMap((h) => [proof(h), proof(h)]),
      };
    case 'generate':
      return { secrets: [{ name: 'db', fresh: 's'.repeat(400) }] };
    case 'build':
      return { hosts: c.hosts.map((name) => ({ name, fresh: `${store}${name}-new` })) };
    case 'encrypt':
      return { commit: 'c'.repeat(40) };
    case 'advance':
      return { proof: c.hosts.flatMap((h) => [proof(h), proof(h), proof(h)]) };
    case 'prove':
      return { proof: hosts.flatMap((h) => [proof(h), proof(h)]) };
    case 'soak':
      return { finished: true };
    default:
      return {};
  }
}

function run(): { atSoak: string; atEnd: string; memo: string } {
  let j: Journal = startJournal(
    {
      id: '0'.repeat(26),
      by: 'x',
      takeOver: false,
      plan: { plan: makePlan({ waves: [hosts.slice(0, 1), hosts.slice(1)] }), digest: 'd'.repeat(64) },
    },
    at,
  );
  let atSoak = '';
  for (;;) {
    const action = decide(j, at);
    if (action.type === 'end') j = finish(j, action.state, at);
    if (action.type !== 'run') break;
    for (const command of action.commands) {
      if (command.do === 'soak') atSoak = JSON.stringify(forNextRun(j));
      j = register(j, command, at).journal;
      if (command.do === 'preflight')
        for (const name of hosts)
          for (const message of [
            'looking at the host',
            'trying the old value',
            'comparing with the base',
            'ready',
          ])
            showHost(j, 'generate', { name, state: 'running', message }, tick());
      if (command.do === 'advance')
        for (const name of command.hosts)
          for (const step of ['deploy', 'restart', 'verify'] as const)
            for (const state of ['running', 'done'] as const) showHost(j, step, { name, state }, tick());
      j = record(j, command, { ok: true, facts: facts(command) }, at);
    }
  }
  return { atSoak, atEnd: JSON.stringify(forNextRun(j)), memo: JSON.stringify(memoOf(j)) };
}

const kib = 1024;

/** Bytes on the wire: the real codec, which deflates before it seals. */
async function sealed(json: string): Promise<number> {
  const [key] = parseCodecKeys(generateCodecKey(), 'test');
  if (key === undefined) throw new Error('no key');
  const codec = makePayloadCodec(makeCodecKeyring([key]), { onRefusal: 'throw' });
  const payload = { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from(json) };
  const [packed] = await codec.encode([payload]);
  return packed?.data?.length ?? Number.NaN;
}

test('no payload of a rotation on 50 hosts reaches 64 KiB', async () => {
  const { atSoak, atEnd, memo } = run();
  expect(await sealed(atSoak)).toBeLessThan(64 * kib);
  expect(await sealed(atEnd)).toBeLessThan(64 * kib);
  // Every list of rotations carries the memos of all of them.
  expect(memo.length).toBeLessThan(10 * kib);
});
