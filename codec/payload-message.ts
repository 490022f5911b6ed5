/**
 * Temporal's message Payload (temporal/api/common/v1/message.proto) as bytes and back. The SDK's own definitions are
 * of the whole protocol, and take longer to load than most commands take to run.
 */
import type { Payload } from '@temporalio/common';

import { bytesOf, everyOf, readFields, textOf, writeFields } from './protobuf.js';

const metadataField = 1;
const dataField = 2;
/** Of an entry of a map. */
const keyField = 1;
const valueField = 2;

/** @throws TypeError for a payload whose data lies elsewhere: what we seal is whole */
export function encodePayload({ metadata, data, externalPayloads }: Payload): Uint8Array {
  if (externalPayloads != null && externalPayloads.length > 0)
    throw new TypeError('a payload that refers to external storage cannot be sealed');
  const entries = Object.entries(metadata ?? {}).map(([key, value]) =>
    writeFields([
      [keyField, key],
      [valueField, value],
    ]),
  );
  return writeFields([
    ...entries.map((entry) => [metadataField, entry] as const),
    ...(data == null || data.length === 0 ? [] : [[dataField, data] as const]),
  ]);
}

/** @throws RangeError for what is no message */
export function decodePayload(bytes: Uint8Array): Payload {
  const fields = readFields(bytes);
  const entries = everyOf(fields, metadataField).map((entry): [string, Uint8Array] => {
    const of = readFields(entry);
    return [textOf(of, keyField), bytesOf(of, valueField)];
  });
  return { metadata: Object.fromEntries(entries), data: bytesOf(fields, dataField) };
}
