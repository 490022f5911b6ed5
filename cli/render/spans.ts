/** A line made of parts, each painted for itself: cut to the terminal first, as colour takes no columns. */
import type { Paint, Style } from './style.js';
import { cut } from './text.js';
import { displayWidth } from './width.js';

export interface Span {
  text: string;
  style?: Style;
}

/** At most `width` columns, without spaces at its end. */
export function spanLine(spans: readonly Span[], width: number, paint: Paint): string {
  const whole = spans.reduce((sum, { text }) => sum + displayWidth(text), 0);
  const kept: Span[] = [];
  let room = width;
  for (const span of spans) {
    // The part that does not fit any more is cut, so that the line says it goes on.
    const last = whole > width && displayWidth(span.text) >= room;
    const text = last ? cut(`${span.text} `, room) : span.text;
    kept.push({ ...span, text });
    room -= displayWidth(text);
    if (last || room <= 0) break;
  }
  for (let last = kept.at(-1); last !== undefined; last = kept.at(-1)) {
    last.text = last.text.trimEnd();
    if (last.text !== '') break;
    kept.pop();
  }
  return kept.map(({ text, style }) => (style === undefined ? text : paint(style, text))).join('');
}
