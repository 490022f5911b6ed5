/** Registers what the server has to know of ours, where it lets us. */
import { searchAttributes } from '../workflows/messages.js';
import type { TemporalConnection } from './connection.js';

/** temporal.api.enums.v1.IndexedValueType */
const keyword = 2;

/**
 * Makes the search attributes known. Known already is success; where we may not (Temporal Cloud has its own way),
 * rotations start without them.
 */
export async function registerSearchAttributes({ client, endpoint }: TemporalConnection): Promise<void> {
  const { connection } = client;
  try {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({
      namespace: endpoint.namespace,
    });
    const missing = Object.values(searchAttributes).filter((name) => !Object.hasOwn(customAttributes, name));
    if (missing.length === 0) return;
    await connection.operatorService.addSearchAttributes({
      namespace: endpoint.namespace,
      searchAttributes: Object.fromEntries(missing.map((name) => [name, keyword])),
    });
  } catch (error) {
    // Not allowed, not offered, or another worker was quicker: starting a rotation finds out by itself.
    if (!(error instanceof Error)) throw error;
  }
}
