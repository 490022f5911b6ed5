/** The `manual:` block: what is right, and how a mistake is told. */
import { describe, expect, test } from 'vitest';
import { readRotateYaml } from '../../../config/rotate-yaml.js';
import { manual } from '../../../kinds/manual/kind.js';
import { hostsNamed, manualSchema } from '../../../kinds/manual/schema.js';
import { kinds } from '../../../kinds/registry.js';

const person = { checklist: 'do it' };
const command = { command: ['set', '--x'], on: 'mail-1' };
const swap = { overlap: 'swap', provision: person, undo: person };

test.each([
  { overlap: 'dual' },
  { overlap: 'dual', provision: person, revoke: command, minLength: 20, pattern: 'SG\\..*' },
  { overlap: 'dual', check: { command: ['c'], on: 'consumers', as: 'nobody', timeout: '5s' } },
  { overlap: 'dual', check: { command: 'c', on: 'worker' }, revoke: { command: 'r', on: 'worker' } },
  { ...swap, check: { command: ['c'], on: 'mail-1' } },
])('%j is right, and stays as it is when it is read again', (block) => {
  const settings = manualSchema.parse(block);
  expect(manualSchema.parse(settings)).toEqual(settings);
  expect(kinds.get('manual')?.overlap(settings)).toBe(block.overlap);
});

test.each([
  [{}, 'overlap', 'must be `dual` or `swap`'],
  [{ overlap: 'both' }, 'overlap', 'must be `dual` or `swap`'],
  [{ ...swap, provision: undefined }, '', '`swap` needs `provision`'],
  [{ ...swap, undo: undefined }, '', '`swap` needs `undo`'],
  [{ overlap: 'dual', undo: person }, 'undo', '`undo` is for `swap`'],
  [
    { overlap: 'dual', revoke: {} },
    'revoke',
    'says neither what a person has to do nor which command does it',
  ],
  [{ overlap: 'dual', revoke: { checklist: ' \n' } }, 'revoke.checklist', 'must say what is to be done'],
  [{ overlap: 'dual', revoke: { checklist: 'a\u001b[2Jb' } }, 'revoke.checklist', 'must be plain text'],
  [
    { overlap: 'dual', revoke: { ...person, on: 'x' } },
    'revoke.on',
    '`checklist` and `on` exclude each other',
  ],
  [
    { overlap: 'dual', revoke: { ...person, command: ['x'] } },
    'revoke.command',
    '`checklist` and `command` exclude each other',
  ],
  [{ overlap: 'dual', revoke: { command: ['x'] } }, 'revoke', 'says nowhere to run the command'],
  [
    { overlap: 'dual', revoke: { command: ['x'], on: 'consumers' } },
    'revoke.on',
    '`consumers` is for `check`; an effect takes place once',
  ],
  [
    { overlap: 'dual', revoke: { command: 'x y', on: 'mail-1' } },
    'revoke.command',
    'a command on a host is a list of arguments',
  ],
  [
    { overlap: 'dual', revoke: { command: ['sh', '-c', 'x'], on: 'worker' } },
    'revoke.command',
    'a command on the worker is only named here',
  ],
  [
    { overlap: 'dual', check: { command: 'x', on: 'worker', timeout: '5s' } },
    'check.timeout',
    '`timeout` is for a command on a host',
  ],
  [
    { overlap: 'dual', check: { command: 'x', on: 'worker', as: 'root' } },
    'check.as',
    '`as` is for a command on a host',
  ],
  [{ overlap: 'dual', revoke: { ...command, as: 'a b' } }, 'revoke.as', 'must be a system user'],
  [{ overlap: 'dual', revoke: { ...command, timeout: '5 s' } }, 'revoke.timeout', 'must be a duration'],
  [{ overlap: 'dual', revoke: { ...command, timeout: '0' } }, 'revoke.timeout', 'must be more than nothing'],
  [{ overlap: 'dual', revoke: { ...command, timeout: '30s' } }, 'revoke.timeout', 'must be at most 25s'],
  [
    { overlap: 'dual', check: { command: ['c'], on: 'consumers', timeout: '1m' } },
    'check.timeout',
    'must be at most 25s',
  ],
  [
    { overlap: 'dual', check: { command: ['c'], on: 'consumers', timeout: '12s' }, revoke: command },
    'revoke',
    'it has 15s and the check before it 12s: together at most 25s',
  ],
  [{ overlap: 'dual', pattern: '(' }, 'pattern', 'is not a regular expression of JavaScript'],
  [{ overlap: 'dual', minLength: 0 }, 'minLength', 'must be at least 1'],
])('%j is told at %s', (block, path, message) => {
  const issues = manualSchema.safeParse(block).error?.issues ?? [];
  expect(issues.map((issue) => issue.path.join('.'))).toEqual([path]);
  expect(issues[0]?.message).toContain(message);
});

test('names the hosts that have to exist', () => {
  const settings = manualSchema.parse({
    ...swap,
    provision: command,
    check: { command: ['c'], on: 'consumers' },
    revoke: { command: 'r', on: 'worker' },
  });
  expect(hostsNamed(settings)).toEqual([{ path: ['provision', 'on'], name: 'mail-1' }]);
});

const file = (block: string): string => `version: 1
environments:
  prod: { store: agenix, rules: secrets.nix }
hosts:
  mail-1: { environment: prod }
secrets:
  prod:
    smtp:
      kind: manual
      file: smtp.age
      manual:
${block}
      consumers: [{ hosts: [mail-1], units: [app.service] }]
`;

describe('in rotate.yaml', () => {
  const told = (block: string) =>
    readRotateYaml(file(block), 'rotate.yaml').problems.map(({ path, message, hint }) => ({
      path: path.slice(3).join('.'),
      message,
      ...(hint === undefined ? {} : { hint }),
    }));

  test('a block is read', () => {
    expect(told('        { overlap: dual, revoke: { command: [x], on: mail-1 } }')).toEqual([]);
  });

  test('a host that is not there is told at its place', () => {
    expect(told('        { overlap: dual, revoke: { command: [x], on: mail-2 } }')).toMatchObject([
      { path: 'manual.revoke.on', message: 'unknown host `mail-2`, did you mean `mail-1`?' },
    ]);
  });

  test('a misspelt key is told, with the one that was meant', () => {
    expect(told('        { overlap: dual, revoke: { checklst: x } }')).toEqual([
      {
        path: 'manual.revoke.checklst',
        message: 'unknown key `checklst`, did you mean `checklist`?',
        hint: 'rename it to `checklist`',
      },
    ]);
  });

  test('a program for the worker is told what to do', () => {
    expect(told('        { overlap: dual, check: { command: [x], on: worker } }')).toEqual([
      {
        path: 'manual.check.command',
        message: 'a command on the worker is only named here',
        hint: 'declare it under `commands` of worker.yaml, and give its name',
      },
    ]);
  });
});

describe('the plan says', () => {
  const effects = (block: object) => manual.describe(manualSchema.parse(block), undefined);

  test('what commands will be run, and where', () => {
    expect(
      effects({
        overlap: 'dual',
        provision: { command: ['vendor-add'], on: 'mail-1' },
        revoke: { command: 'vendor-remove', on: 'worker' },
        check: { command: ['c'], on: 'consumers' },
      }),
    ).toEqual({
      generate:
        'take the value that a person brings, and run vendor-add on mail-1 to add the new value at the vendor, beside the old one',
      disable: 'nothing: a value cannot be suspended at the vendor',
      destroy: 'run vendor-remove on the worker to revoke the old value at the vendor',
    });
  });

  test('what a person will be asked for, in the words of the checklist', () => {
    const { generate, destroy } = effects({
      ...swap,
      provision: { checklist: 'log in\n  set it\n' },
      revoke: { checklist: 'remove it' },
    });
    expect(generate).toBe(
      'take the value that a person brings; when all hosts are ready, ask a person to set the new value at the vendor, in place of the old one: log in; set it. An undo would ask a person to put the old value back at the vendor, in place of the new one: do it',
    );
    expect(destroy).toBe(
      'ask a person to revoke the old value at the vendor: remove it. There is no `check`: nothing proves that it is refused',
    );
  });

  test('that nothing ends the old value, where nothing does', () => {
    expect(effects({ overlap: 'dual' })).toMatchObject({
      generate:
        'take the value that a person brings; the vendor has to accept it already, beside the old one',
      destroy: expect.stringContaining('the old value stays valid until it ends at the vendor by itself'),
    });
    expect(effects(swap).destroy).toContain('nothing more: the vendor has one value, and it is the new one');
  });
});
