/** Opening a database file of ours. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';

/**
 * What a power cut may take: `full` nothing; `normal` the last second or so; `off` perhaps the whole file. In return,
 * `normal` waits for the disk seldom, some milliseconds each time, and `off` never does.
 */
export type Synchronous = 'off' | 'normal' | 'full';

/** What a database file is made as. */
export interface DatabaseForm {
  /** The tables, where they are not there yet. */
  readonly schema: string;
  /** A file of another version is left alone, but for those that become this one by its tables. */
  readonly version: number;
  readonly takesOver?: readonly number[];
  /** Whole pages are written; a file that is there keeps its size. */
  readonly pageBytes: number;
}

/**
 * A database file in WAL mode with the given tables. `alone` keeps every other process out, which spares locks and
 * shared memory at each commit. Throws where the file belongs to something else or can't be opened.
 */
export function openDatabase(
  path: string,
  { schema, version, takesOver = [], pageBytes }: DatabaseForm,
  synchronous: Synchronous,
  alone: boolean,
): Database.Database {
  let db: Database.Database | undefined;
  try {
    if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true });
    db = new Database(path, { timeout: alone ? 0 : BUSY_MS });
    if (alone) db.pragma('locking_mode = EXCLUSIVE');
    db.pragma(`page_size = ${pageBytes}`);
    const found = db.pragma('user_version', { simple: true }) as number;
    if (![0, version, ...takesOver].includes(found)) {
      throw new Error(`made by another version (form ${found}, expected ${version}); move it away to start anew`);
    }
    db.pragma('journal_mode = WAL');
    db.pragma(`synchronous = ${synchronous}`);
    // The log is copied on the thread that answers calls: seldom, and when most of it is on the disk already
    // (log-flush.ts), so that it waits little for that.
    db.pragma(`wal_autocheckpoint = ${LOG_PAGES}`);
    db.exec(schema);
    db.pragma(`user_version = ${version}`);
    return db;
  } catch (error) {
    db?.close();
    const busy = (error as { code?: string }).code === 'SQLITE_BUSY';
    throw new Error(`${path}: ${busy ? 'in use by another process' : (error as Error).message}`);
  }
}

/** Pages in the log before it is copied: 32 or 64 MB beside the file. */
const LOG_PAGES = 8000;

/** How long a write waits for a reader of the same file. */
const BUSY_MS = 2000;
