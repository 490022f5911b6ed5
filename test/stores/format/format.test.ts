import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SecretValue } from '../../../domain/secret-value.js';
import type { FormatSpec } from '../../../domain/spec.js';
import { carriesRole, parseSecret, renderSecret } from '../../../stores/format/format.js';
import { failureOf } from '../support.js';

const template = 'postgresql://{role}:{password}@db-1:5432/app';
const raw: FormatSpec = { type: 'raw' };
const secret = (text: string) => SecretValue.fromText(text);
const file = '# app\nLOG_LEVEL=info\nDATABASE_URL=postgresql://app_a:old@db-1:5432/app\nTOKEN="keep me"\n';

describe('format raw', () => {
  it('keeps the trailing newline of the old file, and adds none of its own', () => {
    expect(renderSecret(raw, { password: secret('new') }, secret('old\n')).text()).toBe('new\n');
    expect(renderSecret(raw, { password: secret('new') }, secret('old')).text()).toBe('new');
    expect(renderSecret(raw, { password: secret('new') }).text()).toBe('new');
  });

  it('takes exactly one newline off the end', () => {
    expect(parseSecret(raw, secret('a\n')).password.text()).toBe('a');
    expect(parseSecret(raw, secret('a\n\n')).password.text()).toBe('a\n');
    expect(parseSecret(raw, secret('a\r\n')).password.text()).toBe('a\r');
  });

  it('carries bytes that are no text', () => {
    const bytes = Uint8Array.of(0, 255, 128, 13);
    const written = renderSecret(raw, { password: new SecretValue(bytes) }, secret('x\n'));
    expect(parseSecret(raw, written).password.bytes()).toEqual(bytes);
  });

  it('gives back any value that it accepts', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.constantFrom('', 'x', 'x\n', '\n'), (bytes, old) => {
        const acceptable = bytes.length > 0 && bytes.at(-1) !== 0x0a;
        try {
          const written = renderSecret(raw, { password: new SecretValue(bytes) }, secret(old));
          expect(parseSecret(raw, written).password.bytes()).toEqual(bytes);
          expect(acceptable).toBe(true);
        } catch (error) {
          if (acceptable) throw error;
        }
      }),
    );
  });

  it('with a template holds the role too', () => {
    const format: FormatSpec = { type: 'raw', template };
    const written = renderSecret(format, { password: secret('p/w'), role: 'app_b' }, secret('old\n'));
    expect(written.text()).toBe('postgresql://app_b:p%2Fw@db-1:5432/app\n');
    const { password, role } = parseSecret(format, written);
    expect([password.text(), role]).toEqual(['p/w', 'app_b']);
  });

  it.each([
    ['an empty value', ''],
    ['a value that ends in a newline', 'a\n'],
  ])('refuses %s', async (_, value) => {
    expect((await failureOf(() => renderSecret(raw, { password: secret(value) }))).type).toBe('BadFormat');
  });

  it('refuses an empty file', async () => {
    for (const content of ['', '\n']) {
      expect((await failureOf(() => parseSecret(raw, secret(content)))).type).toBe('BadFormat');
    }
  });
});

describe('format env', () => {
  const format: FormatSpec = { type: 'env', variable: 'DATABASE_URL', template };

  it('changes one variable and nothing else', () => {
    const written = renderSecret(format, { password: secret('n&w'), role: 'app_b' }, secret(file));
    expect(written.text()).toBe(file.replace('app_a:old', 'app_b:n%26w'));
    expect(parseSecret(format, written)).toMatchObject({ role: 'app_b' });
  });

  it('gives back any credential that it accepts, with and without template', () => {
    const text = fc.string({ minLength: 1, unit: 'binary' });
    for (const each of [
      format,
      { type: 'env', variable: 'DATABASE_URL' },
      { type: 'env', variable: 'DATABASE_URL', template: '{role} {password}' },
    ] as const) {
      fc.assert(
        fc.property(text, text, (password, role) => {
          const fields = { password: secret(password), ...(carriesRole(each) ? { role } : {}) };
          let written: SecretValue;
          try {
            written = renderSecret(each, fields, secret(file));
          } catch {
            expect(each).not.toBe(format); // a URL carries everything
            return;
          }
          const found = parseSecret(each, written);
          expect(found.password.text()).toBe(password);
          expect(found.role).toBe(fields.role);
        }),
      );
    }
  });

  it('needs the present content: the other lines are not ours to lose', async () => {
    const failure = await failureOf(() => renderSecret(format, { password: secret('x'), role: 'a' }));
    expect(failure.type).toBe('BadFormat');
  });

  it('says which variable was probably meant', async () => {
    const slip: FormatSpec = { type: 'env', variable: 'DATABSE_URL' };
    const failure = await failureOf(() => parseSecret(slip, secret(file)));
    expect(failure).toMatchObject({ type: 'BadFormat', hint: 'did you mean DATABASE_URL?' });
  });

  it('refuses a variable that is set twice, and explains "export"', async () => {
    const twice = await failureOf(() =>
      parseSecret({ type: 'env', variable: 'A' }, secret('A=1\nB=2\nA=3\n')),
    );
    expect(twice.message).toContain('A is set 2 times');
    const exported = await failureOf(() =>
      parseSecret({ type: 'env', variable: 'A' }, secret('export A=1\n')),
    );
    expect(exported.hint).toContain('export');
  });

  it('shows nothing of the file in its errors', async () => {
    const cases: [FormatSpec, string][] = [
      [format, 'DATABASE_URL=hunter2\n'],
      [{ type: 'env', variable: 'MISSING' }, 'hunter2=hunter2\n'],
      [{ type: 'env', variable: 'A' }, 'A=\n'],
      [{ type: 'env', variable: 'A' }, 'hunter2="\n'],
      [{ type: 'raw', template }, 'hunter2'],
    ];
    for (const [each, content] of cases) {
      const failure = await failureOf(() => parseSecret(each, secret(content)));
      expect([failure.message, failure.hint, failure.stack].join()).not.toContain('hunter2');
      expect(failure.cause).toBeUndefined();
    }
  });

  it('refuses bytes that are no text, without quoting them', async () => {
    const binary = new SecretValue(Uint8Array.of(0x41, 0x3d, 0xff, 0x0a));
    const failure = await failureOf(() => parseSecret({ type: 'env', variable: 'A' }, binary));
    expect(failure.type).toBe('BadFormat');
    expect(failure.cause).toBeUndefined();
    expect(
      (
        await failureOf(() =>
          renderSecret({ type: 'env', variable: 'A' }, { password: binary }, secret('A=1')),
        )
      ).type,
    ).toBe('BadFormat');
  });
});

describe('carriesRole', () => {
  it.each([
    [raw, false],
    [{ type: 'raw', template: '{password}' }, false],
    [{ type: 'raw', template: '{role}:{password}' }, true],
    [{ type: 'env', variable: 'A' }, false],
    [{ type: 'env', variable: 'A', template }, true],
  ] as const)('of %j is %s', (format, expected) => {
    expect(carriesRole(format)).toBe(expected);
  });
});
