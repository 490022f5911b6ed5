/** Where a command prints: data on stdout, everything else on stderr. */
import type { Context } from './context.js';
import { coloured, plain, wantsColour, type Paint } from './render/style.js';
import { oneLine, printable } from './render/text.js';

export interface Screen {
  /** Whether stdout is to carry JSON. */
  readonly json: boolean;
  /** For stdout. */
  readonly paint: Paint;
  /** For stderr. */
  readonly paintErr: Paint;
  /** Width of stdout's terminal; undefined when it is none. */
  readonly columns: number | undefined;
  /** Its height. */
  readonly rows: number | undefined;
  /** A value as JSON: indented for one object, as it is the whole output. */
  object(value: unknown): void;
  /** A value as one line of JSON. */
  jsonLine(value: unknown): void;
  /** Text for people, ending with its own newline. Must hold nothing but what went through render/. */
  data(text: string): void;
  /** Something to know, on stderr. */
  note(message: string): void;
  /** What to do next, on stderr. */
  hint(message: string): void;
}

/** @param colour false after `--no-color` */
export function makeScreen(context: Context, options: { json: boolean; colour: boolean }): Screen {
  const { stdout, stderr, env } = context;
  // Nothing is asked of a stream before it is used: opening one takes time.
  const paintOn = ({ isTTY }: { isTTY: boolean }): Paint =>
    wantsColour(isTTY, env, options.colour) ? coloured : plain;
  const paintErr: Paint = (style, text) => paintOn(stderr)(style, text);
  return {
    json: options.json,
    paint: (style, text) => paintOn(stdout)(style, text),
    paintErr,
    get columns() {
      return stdout.isTTY ? (stdout.columns ?? 80) : undefined;
    },
    get rows() {
      return stdout.isTTY ? (stdout.rows ?? 24) : undefined;
    },
    object: (value) => stdout.write(`${JSON.stringify(value, undefined, 2)}\n`),
    jsonLine: (value) => stdout.write(`${JSON.stringify(value)}\n`),
    data: (text) => stdout.write(text),
    note: (message) => stderr.write(`rotate: ${printable(message)}\n`),
    hint: (message) => stderr.write(`rotate: ${paintErr('dim', 'hint:')} ${oneLine(message)}\n`),
  };
}
