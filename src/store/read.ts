/** Reading a database of ours, which may be damaged. */
import type Database from 'better-sqlite3';

export const DAMAGED = 'restore it from a copy, or move it away to start anew';

/** Every row. Throws, with the path, where the file is damaged. */
export function read(db: Database.Database, query: string): unknown[] {
  try {
    return db.prepare(query).all();
  } catch (error) {
    throw new Error(`${db.name}: ${(error as Error).message}; ${DAMAGED}`);
  }
}
