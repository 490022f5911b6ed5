/** How many columns of a terminal a text takes. Good enough for names and messages; emoji sequences count too much. */

const zero = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
/** The wide and fullwidth blocks of Unicode's EastAsianWidth.txt, and pictographs. */
const wide =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\p{Emoji_Presentation}\u{20000}-\u{3fffd}]$/u;

/** Columns of one code point. */
function columnsOf(character: string): number {
  if (character >= ' ' && character <= '~') return 1;
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
