/**
 * Reads SQLite databases without touching them: copies the files, and searches each value of each table. The
 * bytes of the file alone do not do, because a long value is split over pages.
 */
import { constants, existsSync } from 'node:fs';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import type { Inspector } from './inspector.js';

/** What SQLite keeps beside a database. */
export const suffixes = ['', '-wal', '-shm', '-journal'] as const;

export interface DatabaseCopy {
  /** Of the copied database. */
  path: string;
  /** Private folder that it lies in. */
  folder: string;
  remove(): Promise<void>;
}

export function isDatabase(first: Uint8Array): boolean {
  return Buffer.from(first.buffer, first.byteOffset, first.byteLength).subarray(0, 16).equals(magic);
}

const magic = Buffer.from('SQLite format 3\0');

/**
 * Copies a database with its WAL into a private folder. With `consistent` a read transaction is held meanwhile,
 * so that nothing is moved from the WAL into the database: for one whose writer is at work. Without, the
 * database is not even opened.
 * @returns undefined when it is gone
 */
export async function copyDatabase(path: string, consistent = false): Promise<DatabaseCopy | undefined> {
  const live = consistent ? new DatabaseSync(path, { readOnly: true, timeout: 10_000 }) : undefined;
  const folder = await mkdtemp(join(tmpdir(), 'rotate-canary-'));
  const remove = async (): Promise<void> => await rm(folder, { recursive: true, force: true });
  try {
    live?.exec('BEGIN');
    live?.prepare('SELECT count(*) FROM sqlite_schema').get();
    for (const suffix of suffixes)
      if (existsSync(path + suffix))
        await copyFile(
          path + suffix,
          join(folder, basename(path) + suffix),
          constants.COPYFILE_FICLONE,
        ).catch((error: unknown) => {
          if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
        });
  } catch (error) {
    await remove();
    throw error;
  } finally {
    live?.close();
  }
  if (existsSync(join(folder, basename(path)))) return { path: join(folder, basename(path)), folder, remove };
  await remove();
  return undefined;
}

const tables = z.array(z.object({ name: z.string(), sql: z.string().nullable() }));
const columns = z.array(z.object({ name: z.string() }));
const bytes = z.instanceof(Uint8Array);

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Searches every text and blob of every table of the database at `path`, which must be a copy: opening it may change it. */
export async function searchTables(inspector: Inspector, path: string, label: string): Promise<void> {
  const database = new DatabaseSync(path);
  try {
    const found = tables.parse(
      database.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'table'").all(),
    );
    for (const { name, sql } of found) {
      inspector.text(`${label}, definition of ${name}`, sql ?? '');
      // The rows of a virtual table lie in its shadow tables, which are listed themselves.
      if (sql !== null && /^\s*create\s+virtual/i.test(sql)) continue;
      for (const column of columns.parse(database.prepare(`PRAGMA table_xinfo(${quote(name)})`).all()))
        await searchColumn(inspector, database, name, column.name, label);
    }
  } finally {
    database.close();
  }
}

async function searchColumn(
  inspector: Inspector,
  database: DatabaseSync,
  table: string,
  column: string,
  label: string,
): Promise<void> {
  const name = quote(column);
  // As a blob, because what is no valid text would be mended when it is read as one.
  const rows = database
    .prepare(
      `SELECT CAST(${name} AS BLOB) AS value FROM ${quote(table)} WHERE typeof(${name}) IN ('text', 'blob')`,
    )
    .iterate();
  for (const row of rows) {
    const value = bytes.safeParse(row['value']);
    if (value.success) await inspector.bytes(`${label} ${table}.${column}`, value.data);
  }
}
