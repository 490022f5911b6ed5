/** Quoting, and the statements that every session needs. */
import { escapeIdentifier, escapeLiteral } from 'pg';

/** `"name"`, quoted whatever it contains. */
export function ident(name: string): string {
  return escapeIdentifier(name);
}

/** `'text'`, or ` E'te\\xt'` where it has a backslash: right whatever standard_conforming_strings says. */
export function literal(text: string): string {
  return escapeLiteral(text);
}

/** `ARRAY['a', 'b']::text[]` */
export function textArray(texts: readonly string[]): string {
  return `ARRAY[${texts.map(literal).join(', ')}]::text[]`;
}

/**
 * A PL/pgSQL block.
 * @param body without a secret: an error inside is logged with the statement that raised it
 */
export function doBlock(body: string): string {
  return `DO LANGUAGE plpgsql ${literal(body)}`;
}
