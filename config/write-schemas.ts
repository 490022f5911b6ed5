/** Writes schemas/rotate.schema.json and schemas/worker.schema.json: `node dist/config/write-schemas.js [FOLDER]`. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { jsonSchemas, schemaText } from './schemas.js';

/** @param folder of the JSON schemas; made if it is not there */
export async function writeSchemas(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, schema] of Object.entries(jsonSchemas()))
    await writeFile(join(folder, name), schemaText(schema));
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === import.meta.filename) {
  await writeSchemas(process.argv[2] ?? 'schemas');
}
