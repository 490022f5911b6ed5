/** Values as YAML on one line, as a person would write them. */

/** Plain: nothing in it means anything to YAML, and it is no number, truth or nothing. */
const plain = /^[A-Za-z_/][\w./@+=-]*(?: [\w./@+=-]+)*$/;
const address = /^\d{1,3}(\.\d{1,3}){3}$/;
const words = /^(?:true|false|null|yes|no|on|off|y|n)$/i;

/** @returns YAML 1.2 that reads as `value`: plain where that is safe, else JSON, which is YAML too */
export function flow(value: unknown): string {
  if (typeof value === 'string') return isPlain(value) ? value : JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, inner]) => `${flow(key)}: ${flow(inner)}`);
    return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
  }
  return JSON.stringify(value);
}

function isPlain(text: string): boolean {
  return (plain.test(text) && !words.test(text)) || address.test(text);
}
