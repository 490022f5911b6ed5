/**
 * A SQLite database and its WAL, such as the embedded Temporal server's: the bytes of the files, and every value of
 * every table.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Needle } from '../forms.js';
import { Inspector } from '../inspector.js';
import type { Hit, Place } from '../place.js';
import { copyDatabase, searchTables } from '../sqlite.js';
import type { DatabaseCopy } from '../sqlite.js';
import { searchFile } from '../walk.js';

/**
 * Searches a copy of the database at `path`, made while a read transaction keeps it still. The decoy goes into a
 * second copy, because the live database is its server's alone and writing to the first copy would overwrite the
 * WAL that is to be searched; both copies take the same way through the search.
 */
export function databasePlace(name: string, path: string): Place {
  let planted: { copy: DatabaseCopy; writer: DatabaseSync } | undefined;

  async function searchCopy(inspector: Inspector, copy: DatabaseCopy, label: string): Promise<void> {
    // Bytes first: opening the database may fold the WAL into it.
    for (const file of await readdir(copy.folder))
      await searchFile(inspector, join(copy.folder, file), `${label}${file}`);
    await searchTables(inspector, copy.path, `${label}table`);
  }

  async function clean(): Promise<void> {
    planted?.writer.close();
    await planted?.copy.remove();
    planted = undefined;
  }

  return {
    name,
    async search(needles: readonly Needle[], signal?: AbortSignal): Promise<Hit[]> {
      const inspector = new Inspector(needles, signal);
      const copy = await copyDatabase(path, true);
      if (copy === undefined) throw new Error(`there is no database ${path}`);
      try {
        await searchCopy(inspector, copy, '');
      } finally {
        await copy.remove();
      }
      if (planted !== undefined) await searchCopy(inspector, planted.copy, 'decoy: ');
      return inspector.hits;
    },
    async plant(decoy) {
      const copy = await copyDatabase(path, true);
      if (copy === undefined) throw new Error(`there is no database ${path}`);
      const writer = new DatabaseSync(copy.path);
      planted = { copy, writer };
      writer.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0');
      const page = Number(writer.prepare('PRAGMA page_size').get()?.['page_size']);
      writer.exec('CREATE TABLE canary_decoy (in_file TEXT, over_pages BLOB, in_wal TEXT)');
      // Rows in the file itself; the blobs are long, so that wherever the pages part one decoy is cut in two.
      const insert = writer.prepare('INSERT INTO canary_decoy VALUES (?, ?, ?)');
      insert.run(decoy, Buffer.from(decoy.repeat(Math.ceil((3 * page) / decoy.length))), null);
      writer.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      insert.run(null, null, decoy);
      return [
        'decoy: table canary_decoy.in_file',
        'over_pages',
        'in_wal',
        `-wal at`,
        `decoy: ${copyName(copy)} at`,
      ];
    },
    clean,
  };
}

function copyName(copy: DatabaseCopy): string {
  return copy.path.slice(copy.folder.length + 1);
}
