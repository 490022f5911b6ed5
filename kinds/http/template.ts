/**
 * Texts with placeholders in braces: `/keys/{id}`, `Bearer {admin}`. `{{` and `}}` stand for a brace. Light: the
 * schema reads it.
 */
import { RotateError } from '../../domain/failure.js';

export const placeholders = ['admin', 'value', 'id', 'account', 'label'] as const;
export type Placeholder = (typeof placeholders)[number];

/** What is put in; each request has only what belongs to it. */
export type Values = Readonly<Partial<Record<Placeholder, string>>>;

type Piece = { text: string } | { placeholder: Placeholder };

/** The pieces of `source`, or what is wrong with it. */
export function parseTemplate(source: string): readonly Piece[] | { problem: string } {
  const pieces: Piece[] = [];
  for (const [token, name] of source.matchAll(/\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+/g)) {
    if (name !== undefined) {
      const placeholder = placeholders.find((each) => each === name);
      if (placeholder === undefined)
        return { problem: `there is no {${name}}; a brace itself is written twice` };
      pieces.push({ placeholder });
    } else if (token === '{' || token === '}')
      return { problem: `a ${token} stands alone; a brace itself is written twice` };
    else pieces.push({ text: token === '{{' ? '{' : token === '}}' ? '}' : token });
  }
  return pieces;
}

/** The placeholders of a text; none where it is malformed. */
export function placeholdersIn(source: string): Placeholder[] {
  const parsed = parseTemplate(source);
  if ('problem' in parsed) return [];
  return parsed.flatMap((piece) => ('placeholder' in piece ? [piece.placeholder] : []));
}

/**
 * `source` with `values` put in, each through `encode`.
 * @throws RotateError IssuerMisconfigured when the text asks for what is not known; names it, and no value
 */
export function fillTemplate(
  source: string,
  values: Values,
  encode: (value: string) => string = (value) => value,
): string {
  const parsed = parseTemplate(source);
  if ('problem' in parsed) throw new RotateError('BadConfig', `http: ${parsed.problem}`);
  return parsed.map((piece) => ('text' in piece ? piece.text : encode(known(values, piece)))).join('');
}

/** `body` with its texts filled in, at any depth; keys are taken as they are. */
export function fillBody(body: unknown, values: Values): unknown {
  if (typeof body === 'string') return fillTemplate(body, values);
  if (Array.isArray(body)) return body.map((item) => fillBody(item, values));
  if (typeof body !== 'object' || body === null) return body;
  return Object.fromEntries(Object.entries(body).map(([key, item]) => [key, fillBody(item, values)]));
}

/** Every text of a body, at any depth. */
export function textsIn(body: unknown): string[] {
  if (typeof body === 'string') return [body];
  return typeof body === 'object' && body !== null ? Object.values(body).flatMap(textsIn) : [];
}

function known(values: Values, { placeholder }: { placeholder: Placeholder }): string {
  const value = values[placeholder];
  if (value !== undefined && value !== '') return value;
  throw new RotateError(
    'IssuerMisconfigured',
    placeholder === 'account'
      ? 'http: {account} is asked for, but the file does not say the account'
      : `http: {${placeholder}} is asked for, and is not known here`,
    placeholder === 'account'
      ? { hint: 'add a `template` with {role} and {password} to `format`, or write the account itself' }
      : {},
  );
}
