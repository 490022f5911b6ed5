/**
 * How many columns of a terminal a text takes. Where terminals differ it counts the most that one of them takes: what
 * is too short for its place does no harm, what is too long wraps. Emoji sequences count too much.
 */

/** Marks on the character before, and what is there to join or not to break. Other format characters are shown by some. */
const zero = /^[\p{Mn}\p{Me}\u200b-\u200d\u2060-\u2064\ufeff]$/u;
/** The wide and fullwidth blocks of Unicode's EastAsianWidth.txt, and pictographs. */
const wide =
  /^[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4dc0-\u4dff\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\p{Emoji_Presentation}\u{16fe0}-\u{18dff}\u{1aff0}-\u{1b2ff}\u{1d300}-\u{1d37f}\u{1f200}-\u{1f265}\u{20000}-\u{3fffd}]$/u;
/** Asks for the coloured form of the character before, which is wide. */
const asEmoji = '\uFE0F';

/** Columns of one code point. */
function columnsOf(character: string): number {
  if (character >= ' ' && character <= '~') return 1;
  if (character === asEmoji) return 1;
  if (zero.test(character)) return 0;
  return wide.test(character) ? 2 : 1;
}

export function displayWidth(text: string): number {
  let columns = 0;
  for (const character of text) columns += columnsOf(character);
  return columns;
}

/** As much of `text` as fits into `columns`. */
export function fitting(text: string, columns: number): string {
  let used = 0;
  let kept = '';
  for (const character of text) {
    used += columnsOf(character);
    if (used > columns) return kept;
    kept += character;
  }
  return kept;
}
