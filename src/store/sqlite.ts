/**
 * Sessions, the outbox and the policies they name, in one SQLite file: one transaction for everything that changed in
 * a turn of the event loop. Survives `kill -9`, whatever `synchronous` says.
 */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import type { Batch, SessionStore } from '../engine/ports.ts';
import type { HistoryIntent } from '../history/intent.ts';
import type { KeptRegistration, RegistrationKeeper } from '../registrar/registrations.ts';
import { type LogFlush, logFlush } from './log-flush.ts';
import { DAMAGED, read } from './read.ts';
import { WorkRows } from './work-rows.ts';

export interface SqliteSessionsOptions {
  /** File, made with its folder where it is not there; `:memory:` for none. */
  readonly path: string;
  readonly synchronous?: Synchronous;
}

/**
 * What a power cut may take: `full` nothing; `normal` the last second or so; `off` perhaps the whole file. In return,
 * `normal` waits for the disk once in some thousand sessions, some milliseconds each, and `off` never does.
 */
export type Synchronous = 'off' | 'normal' | 'full';

export interface SqliteSessions extends SessionStore {
  /** History work that was not done when the process ended, in the order in which it was wanted. */
  intents(): HistoryIntent[];
  /** History work that is done. Written with the next batch, since doing it again is harmless. */
  forgetIntents(ids: readonly string[]): void;
  /** Registrations, which the core repeats only after hours. */
  readonly registrations: RegistrationKeeper;
  /** Times the file could not be written since it last could. */
  readonly failing: number;
  close(): void;
}

// Sessions and history work are found by number, not by name: a row is written over when its session is over or its work
// is done, so that the same few pages change again and again. The names are looked at only when everything is loaded.
const SESSIONS_SCHEMA = `
  CREATE TABLE IF NOT EXISTS sessions (number INTEGER PRIMARY KEY, id TEXT NOT NULL, origin TEXT NOT NULL, state TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS work (number INTEGER PRIMARY KEY, id TEXT NOT NULL, body TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS registrations (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS policies (key TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
`;

interface StoredRow {
  readonly number: number;
  readonly id: string;
  readonly origin: string;
  readonly state: string;
}

export const SESSIONS_FORM: DatabaseForm = {
  schema: SESSIONS_SCHEMA,
  version: 1,
  // A record of a session fits one page of this size, so a commit writes one page for each session.
  pageBytes: 8192,
};

export function sqliteSessions(options: SqliteSessionsOptions): SqliteSessions {
  const { path, synchronous = 'normal' } = options;
  return sessionsIn(openDatabase(path, SESSIONS_FORM, synchronous, true), logFlush(path, synchronous));
}

/** The store in a database that {@link openDatabase} has opened. */
export function sessionsIn(db: Database.Database, flush?: LogFlush): SqliteSessions {
  const insert = db.prepare('INSERT INTO sessions (id, origin, state) VALUES (?, ?, ?)');
  const update = db.prepare('UPDATE sessions SET state = ? WHERE number = ?');
  const replace = db.prepare('UPDATE sessions SET id = ?, origin = ?, state = ? WHERE number = ?');
  const remove = db.prepare('DELETE FROM sessions WHERE number = ?');
  /** Row of each stored session. */
  const numbers = new Map<string, number | bigint>();
  const workRows = new WorkRows(db);
  const putPolicy = db.prepare('INSERT OR IGNORE INTO policies (key, body) VALUES (?, ?)');
  const policyOf = db.prepare('SELECT body FROM policies WHERE key = ?').pluck();
  const policyKeys = db.prepare('SELECT key FROM policies').pluck();
  const removePolicy = db.prepare('DELETE FROM policies WHERE key = ?');
  const putRegistration = db.prepare('INSERT OR REPLACE INTO registrations (id, body) VALUES (?, ?)');
  const removeRegistration = db.prepare('DELETE FROM registrations WHERE id = ?');
  const [begin, commit, rollback] = ['BEGIN IMMEDIATE', 'COMMIT', 'ROLLBACK'].map((text) => db.prepare(text)) as [
    Database.Statement,
    Database.Statement,
    Database.Statement,
  ];
  let failing = 0;

  function write(batch: Batch, inserted: string[]): void {
    for (const { key, body } of batch.policies) putPolicy.run(key, body);
    const over: (number | bigint)[] = [];
    for (const id of batch.deletes) {
      const number = numbers.get(id);
      if (number !== undefined) over.push(number);
    }
    for (const { id, origin, state } of batch.puts) {
      const number = numbers.get(id);
      if (number !== undefined) update.run(state, number);
      else if (origin !== undefined) {
        numbers.set(id, placed(id, origin, state, over.pop()));
        inserted.push(id);
      }
    }
    for (const number of over) remove.run(number);
    workRows.write(batch.intents);
  }

  /** A new session takes the row of one that is over where it can: its page is then the only one that changes. */
  function placed(id: string, origin: string, state: string, over: number | bigint | undefined): number | bigint {
    if (over === undefined) return insert.run(id, origin, state).lastInsertRowid;
    replace.run(id, origin, state, over);
    return over;
  }

  /** One that a new session is written over takes none of its own. */
  function statementsFor({ puts, deletes, policies, intents }: Batch): number {
    const begun = puts.filter(({ id }) => !numbers.has(id)).length;
    return puts.length + Math.max(0, deletes.length - begun) + policies.length + workRows.statementsFor(intents);
  }

  function inTransaction(work: () => void): Error | undefined {
    return attempt(() => {
      begin.run();
      work();
      commit.run();
    });
  }

  /** A single statement is a transaction by itself. */
  function attempt(work: () => void): Error | undefined {
    try {
      work();
      failing = 0;
      flush?.wrote();
      return undefined;
    } catch (error) {
      failing++;
      if (db.inTransaction) rollback.run();
      return error as Error;
    }
  }

  return {
    durable: true,
    commit(batch, finished) {
      const inserted: string[] = [];
      const written = statementsFor(batch) > 1 ? inTransaction : attempt;
      const error = written(() => write(batch, inserted));
      workRows.written(error === undefined);
      if (error !== undefined) for (const id of inserted) numbers.delete(id);
      else {
        for (const id of batch.deletes) numbers.delete(id);
      }
      finished(error);
    },
    load(each) {
      for (const { number, id, origin, state } of read(db, LOAD) as StoredRow[]) {
        numbers.set(id, number);
        each(id, origin, state);
      }
    },
    policy: (key) => policyOf.get(key) as string | undefined,
    keepPolicies(keys) {
      const over = (policyKeys.all() as string[]).filter((key) => !keys.has(key));
      // One that can not be deleted stays until the next start.
      if (over.length > 0) inTransaction(() => over.forEach((key) => void removePolicy.run(key)));
    },
    intents: () => workRows.load().sort((left, right) => left.at - right.at),
    forgetIntents: (ids) => workRows.done(ids),
    registrations: {
      keep: (id, registration) => void inTransaction(() => putRegistration.run(id, JSON.stringify(registration))),
      forget: (id) => void inTransaction(() => removeRegistration.run(id)),
      kept: () => keptIn(db),
    },
    get failing() {
      return failing;
    },
    close() {
      inTransaction(() => write({ puts: [], deletes: [], intents: [], policies: [] }, []));
      flush?.close();
      db.close();
    },
  };
}

const LOAD = 'SELECT number, id, origin, state FROM sessions ORDER BY number';

/** One row at a time: a provider's users, all at once, would be held twice. */
function* keptIn(db: Database.Database): Iterable<KeptRegistration> {
  try {
    const bodies = db.prepare('SELECT body FROM registrations').pluck().iterate() as IterableIterator<string>;
    for (const body of bodies) yield JSON.parse(body) as KeptRegistration;
  } catch (error) {
    throw new Error(`${db.name}: ${(error as Error).message}; ${DAMAGED}`);
  }
}

/** What a database file is made as. */
export interface DatabaseForm {
  /** The tables, where they are not there yet. */
  readonly schema: string;
  /** A file of another version is left alone. */
  readonly version: number;
  /** Whole pages are written; a file that is there keeps its size. */
  readonly pageBytes: number;
}

/**
 * A database file in WAL mode with the given tables. `alone` keeps every other process out, which spares locks and
 * shared memory at each commit. Throws where the file belongs to something else or can't be opened.
 */
export function openDatabase(
  path: string,
  { schema, version, pageBytes }: DatabaseForm,
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
    if (found !== 0 && found !== version) {
      throw new Error(`made by another version (form ${found}, expected ${version}); move it away to start anew`);
    }
    db.pragma('journal_mode = WAL');
    db.pragma(`synchronous = ${synchronous}`);
    // Most records are written over before a checkpoint comes round, so that it has little to copy; and the log is mostly
    // on the disk by then (log-flush.ts), so that it waits little for that, on the thread that answers calls.
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
