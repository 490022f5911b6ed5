/**
 * The wire format of protobuf (https://protobuf.dev/programming-guides/encoding/), as far as the few messages of
 * Temporal's need it that are read and written without the SDK: fields of bytes, text, messages and numbers.
 */

/** Of one message: the values of each field, by its number, in their order. */
export type Fields = ReadonlyMap<number, readonly (Uint8Array | number)[]>;

const varint = 0;
const fixed64 = 1;
const lengthDelimited = 2;
const fixed32 = 5;

/**
 * Numbers above 2^53 are not exact; no field that is read here has any.
 * @throws RangeError for what is cut off, or no message
 */
export function readFields(message: Uint8Array): Fields {
  const fields = new Map<number, (Uint8Array | number)[]>();
  let at = 0;
  const number = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = message[at];
      // 2^63 is the last factor of ten bytes.
      if (byte === undefined || factor > 2 ** 63) throw new RangeError('no number of protobuf');
      at += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  };
  const bytes = (length: number): Uint8Array => {
    if (length > message.length - at) throw new RangeError('a message of protobuf is cut off');
    at += length;
    return message.subarray(at - length, at);
  };
  while (at < message.length) {
    const tag = number();
    const [field, wireType] = [Math.floor(tag / 8), tag % 8];
    if (wireType === fixed64) bytes(8);
    else if (wireType === fixed32) bytes(4);
    else {
      if (wireType !== varint && wireType !== lengthDelimited) throw new RangeError('no field of protobuf');
      const value = wireType === varint ? number() : bytes(number());
      const known = fields.get(field);
      if (known === undefined) fields.set(field, [value]);
      else known.push(value);
    }
  }
  return fields;
}

/** Every value of a repeated field of messages or bytes. */
export function everyOf(fields: Fields, field: number): Uint8Array[] {
  return (fields.get(field) ?? []).filter((value) => typeof value !== 'number');
}

/** Empty where the field is not there, as protobuf has it; the last one counts. */
export function bytesOf(fields: Fields, field: number): Uint8Array {
  return everyOf(fields, field).at(-1) ?? new Uint8Array();
}

export function textOf(fields: Fields, field: number): string {
  return Buffer.from(bytesOf(fields, field)).toString('utf8');
}

/** 0 where the field is not there. */
export function numberOf(fields: Fields, field: number): number {
  const value = fields.get(field)?.at(-1);
  return typeof value === 'number' ? value : 0;
}

/** A message of these fields, in their order. Numbers are whole and not negative. */
export function writeFields(
  fields: readonly (readonly [field: number, value: Uint8Array | string | number])[],
): Buffer {
  return Buffer.concat(
    fields.flatMap(([field, value]) => {
      if (typeof value === 'number') return [writeNumber(field * 8 + varint), writeNumber(value)];
      const bytes = typeof value === 'string' ? Buffer.from(value) : value;
      return [writeNumber(field * 8 + lengthDelimited), writeNumber(bytes.length), bytes];
    }),
  );
}

function writeNumber(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Uint8Array.of(...bytes, rest);
}
