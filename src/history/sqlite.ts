/** The embedded message store: the folders, objects and pointers of an IMAP store with METADATA, in one SQLite file. */
import type Database from 'better-sqlite3';
import { type DatabaseForm, openDatabase } from '../store/database.ts';
import { type LogFlush, logFlush } from '../store/log-flush.ts';
import {
  type Done,
  type FolderSummary,
  type HistoryDriver,
  type HistoryReader,
  type KeyedObject,
  NoFolder,
  type Pointer,
  type StoredObject,
} from './driver.ts';
import type { FolderRef } from './intent.ts';

const HISTORY_SCHEMA = `
  CREATE TABLE IF NOT EXISTS folders (
    id INTEGER PRIMARY KEY,
    user TEXT NOT NULL,
    conversation TEXT NOT NULL,
    contribution TEXT NOT NULL,
    next_uid INTEGER NOT NULL DEFAULT 1,
    session_info INTEGER,
    group_state INTEGER,
    UNIQUE (user, conversation, contribution)
  );
  CREATE TABLE IF NOT EXISTS objects (
    folder INTEGER NOT NULL REFERENCES folders (id),
    uid INTEGER NOT NULL,
    key TEXT NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (folder, uid),
    UNIQUE (folder, key)
  ) WITHOUT ROWID;
`;

export const HISTORY_FORM: DatabaseForm = {
  schema: HISTORY_SCHEMA,
  version: 1,
  // An object of a session is some hundred bytes long, and changes a page of each of four trees.
  pageBytes: 4096,
};

/** A folder's row. */
interface FolderRow {
  readonly id: number;
  next_uid: number;
  session_info: number | null;
  group_state: number | null;
}

const COLUMNS = { SessionInfoObjectID: 'session_info', GroupStateObjectID: 'group_state' } as const;

export interface SqliteHistoryOptions {
  readonly path: string;
  readonly synchronous?: 'normal' | 'full';
}

export function sqliteHistory(options: SqliteHistoryOptions): SqliteHistory {
  const { path, synchronous = 'normal' } = options;
  return new SqliteHistory(openDatabase(path, HISTORY_FORM, synchronous, false), logFlush(path, synchronous));
}

export class SqliteHistory implements HistoryDriver, HistoryReader {
  readonly #db: Database.Database;
  readonly #flush: LogFlush | undefined;
  readonly #folder: Database.Statement;
  readonly #makeFolder: Database.Statement;
  readonly #changeFolder: Database.Statement;
  readonly #uidOf: Database.Statement;
  readonly #insert: Database.Statement;
  /** Made once: better-sqlite3 makes four functions for each that it is given. */
  readonly #atomically: <T>(work: () => T) => T;
  /**
   * The folder that the transaction under way works in: until its end nobody else can change or remove it. What has
   * changed in its row is written when the transaction goes on to another folder, or ends.
   */
  #found: { readonly folder: FolderRef; readonly row: FolderRow; changed: boolean } | undefined;

  constructor(db: Database.Database, flush?: LogFlush) {
    this.#db = db;
    this.#flush = flush;
    this.#atomically = db.transaction((work: () => unknown) => {
      const result = work();
      this.#leaveFolder();
      return result;
    }) as <T>(work: () => T) => T;
    this.#folder = db.prepare(
      'SELECT id, next_uid, session_info, group_state FROM folders WHERE user = ? AND conversation = ? AND contribution = ?',
    );
    this.#makeFolder = db.prepare('INSERT OR IGNORE INTO folders (user, conversation, contribution) VALUES (?, ?, ?)');
    this.#changeFolder = db.prepare('UPDATE folders SET next_uid = ?, session_info = ?, group_state = ? WHERE id = ?');
    this.#uidOf = db.prepare('SELECT uid FROM objects WHERE folder = ? AND key = ?').pluck();
    this.#insert = db.prepare(
      'INSERT INTO objects (folder, uid, key, content) VALUES (?, ?, ?, ?) ON CONFLICT (folder, key) DO NOTHING',
    );
  }

  together(work: () => void): void {
    this.#inTransaction(work);
    this.#flush?.wrote();
  }

  openFolder(folder: FolderRef, done: Done<void>): void {
    this.#change(done, () => {
      if (this.#found?.folder === folder) return;
      this.#makeFolder.run(folder.user, folder.conversationId, folder.contributionId);
    });
  }

  append(folder: FolderRef, key: string, object: string, done: Done<number>): void {
    this.#change(done, () => this.#inTransaction(() => this.#appendOnce(folder, key, object)));
  }

  appendAll(folder: FolderRef, objects: readonly KeyedObject[], done: Done<readonly number[]>): void {
    this.#change(done, () =>
      this.#inTransaction(() => {
        this.#existing(folder);
        return objects.map(({ key, object }) => this.#appendOnce(folder, key, object));
      }),
    );
  }

  setPointer(folder: FolderRef, pointer: Pointer, uid: number, done: Done<void>): void {
    this.#change(done, () =>
      this.#inTransaction(() => {
        const row = this.#existing(folder);
        const column = COLUMNS[pointer];
        if (row[column] === uid) return;
        row[column] = uid;
        this.#rowChanged();
      }),
    );
  }

  getPointer(folder: FolderRef, pointer: Pointer, done: Done<number | null>): void {
    this.#try(done, () => this.#rowOf(folder)?.[COLUMNS[pointer]] ?? null);
  }

  remove(folder: FolderRef, uid: number, done: Done<void>): void {
    this.#change(done, () => {
      const id = this.#rowOf(folder)?.id;
      if (id !== undefined) this.#db.prepare('DELETE FROM objects WHERE folder = ? AND uid = ?').run(id, uid);
    });
  }

  folders(user: string, done: Done<readonly FolderSummary[]>): void {
    this.#try(done, () => {
      const rows = this.#db
        .prepare(
          `SELECT user, conversation AS conversationId, contribution AS contributionId,
             (SELECT count(*) FROM objects WHERE folder = folders.id) AS objects
           FROM folders WHERE user = ? ORDER BY id`,
        )
        .all(user);
      return rows as FolderSummary[];
    });
  }

  objects(folder: FolderRef, done: Done<readonly StoredObject[]>): void {
    this.#try(done, () => {
      const id = this.#rowOf(folder)?.id;
      if (id === undefined) return [];
      const rows = this.#db.prepare('SELECT uid, content FROM objects WHERE folder = ? ORDER BY uid').all(id);
      return (rows as { uid: number; content: Buffer }[]).map(({ uid, content }) => ({
        uid,
        content: content.toString('latin1'),
      }));
    });
  }

  pointers(folder: FolderRef, done: Done<Readonly<Partial<Record<Pointer, number>>>>): void {
    this.#try(done, () => {
      const row = this.#db
        .prepare(
          'SELECT session_info, group_state FROM folders WHERE user = ? AND conversation = ? AND contribution = ?',
        )
        .get(folder.user, folder.conversationId, folder.contributionId) as
        | { session_info: number | null; group_state: number | null }
        | undefined;
      return {
        ...(row?.session_info == null ? {} : { SessionInfoObjectID: row.session_info }),
        ...(row?.group_state == null ? {} : { GroupStateObjectID: row.group_state }),
      };
    });
  }

  close(): void {
    this.#flush?.close();
    this.#db.close();
  }

  #inTransaction<T>(work: () => T): T {
    // Not one inside another: SQLite would keep a copy of each page, to undo the inner one by itself.
    if (this.#db.inTransaction) return work();
    try {
      return this.#atomically(work);
    } finally {
      this.#found = undefined;
    }
  }

  /** Inside a transaction. An object that is there already, by its key, keeps its UID. */
  #appendOnce(folder: FolderRef, key: string, object: string): number {
    const row = this.#existing(folder);
    const uid = row.next_uid;
    const { changes } = this.#insert.run(row.id, uid, key, Buffer.from(object, 'latin1'));
    if (changes === 0) return this.#uidOf.get(row.id, key) as number;
    row.next_uid++;
    this.#rowChanged();
    return uid;
  }

  #rowOf(folder: FolderRef): FolderRow | undefined {
    if (this.#found?.folder === folder) return this.#found.row;
    this.#leaveFolder();
    const { user, conversationId, contributionId } = folder;
    const row = this.#folder.get(user, conversationId, contributionId) as FolderRow | undefined;
    if (row !== undefined && this.#db.inTransaction) this.#found = { folder, row, changed: false };
    return row;
  }

  #existing(folder: FolderRef): FolderRow {
    const row = this.#rowOf(folder);
    if (row === undefined) throw new NoFolder(folder);
    return row;
  }

  #rowChanged(): void {
    if (this.#found !== undefined) this.#found.changed = true;
  }

  #leaveFolder(): void {
    if (this.#found?.changed) {
      const { id, next_uid, session_info, group_state } = this.#found.row;
      this.#changeFolder.run(next_uid, session_info, group_state, id);
    }
    this.#found = undefined;
  }

  /** What is written is to be flushed. */
  #change<T>(done: Done<T>, work: () => T): void {
    this.#try(done, () => {
      const value = work();
      this.#flush?.wrote();
      return value;
    });
  }

  #try<T>(done: Done<T>, work: () => T): void {
    let value: T;
    try {
      value = work();
    } catch (error) {
      done(error as Error);
      return;
    }
    done(null, value);
  }
}
