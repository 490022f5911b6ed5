/** Colour, only where a person reads it. */

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'blue';

const codes: Readonly<Record<Style, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
};

export type Paint = (style: Style, text: string) => string;

export const plain: Paint = (_, text) => text;

export const coloured: Paint = (style, text) => {
  const [on, off] = codes[style];
  return `\u001B[${on}m${text}\u001B[${off}m`;
};

/** Colour needs a terminal that is not dumb, and neither NO_COLOR (https://no-color.org) nor `--no-color`. */
export function wantsColour(terminal: boolean, env: NodeJS.ProcessEnv, flag: boolean): boolean {
  const off = env['NO_COLOR'];
  return terminal && flag && (off === undefined || off === '') && env['TERM'] !== 'dumb';
}

/**
 * Whether what goes on is told in lines, one after the other, and not drawn in place: where nothing can be drawn, or
 * for who has it read to him (`--plain`, ROTATE_PLAIN).
 */
export function wantsLines(terminal: boolean, env: NodeJS.ProcessEnv, flag: boolean): boolean {
  return !terminal || env['TERM'] === 'dumb' || wantsPlain(env, flag);
}

/** Whether no table is wanted, on a terminal or not. */
export function wantsPlain(env: NodeJS.ProcessEnv, flag: boolean): boolean {
  const on = env['ROTATE_PLAIN'];
  return flag || (on !== undefined && on !== '' && on !== '0');
}
