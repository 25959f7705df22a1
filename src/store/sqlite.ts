/**
 * Sessions, the outbox and the policies they name, in one SQLite file with a journal before it: what a turn of the event
 * loop changes is one write at the end of the journal (journal.ts), and the database takes later what still matters.
 * Survives `kill -9`, whatever `synchronous` says.
 */
import type Database from 'better-sqlite3';
import type { Batch, SessionStore } from '../engine/ports.ts';
import type { HistoryIntent } from '../history/intent.ts';
import type { KeptRegistration, RegistrationKeeper } from '../registrar/registrations.ts';
import { Changes } from './changes.ts';
import { type DatabaseForm, openDatabase, type Synchronous } from './database.ts';
import { JournalledRows, type JournalSettings } from './journalled-rows.ts';
import { DAMAGED, read } from './read.ts';

export interface SqliteSessionsOptions {
  /** File, made with its folder where it is not there; `:memory:` for none. */
  readonly path: string;
  readonly synchronous?: Synchronous;
}

export interface SqliteSessions extends SessionStore {
  /** History work that was not done when the process ended, in the order in which it was wanted. */
  intents(): HistoryIntent[];
  /** History work that is done. Written with the next batch, since doing it again is harmless. */
  forgetIntents(ids: readonly string[]): void;
  /** Registrations, which the core repeats only after hours. */
  readonly registrations: RegistrationKeeper;
  /** Times in a row that something could not be stored. */
  readonly failing: number;
  /** Why the database, or the disk, does not have what is stored in the journal before it; undefined while all is well. */
  readonly behind: string | undefined;
  /** Bytes of the journal that the database may not have. */
  readonly journalBytes: number;
  close(): void;
}

const SESSIONS_SCHEMA = `
  CREATE TABLE IF NOT EXISTS sessions (number INTEGER PRIMARY KEY, id TEXT NOT NULL, origin TEXT NOT NULL, state TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS work (number INTEGER PRIMARY KEY, id TEXT NOT NULL, body TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS registrations (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS policies (key TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS journal (store TEXT NOT NULL, folded INTEGER NOT NULL);
`;

interface StoredRow {
  readonly number: number;
  readonly id: string;
  readonly origin: string;
  readonly state: string;
}

export const SESSIONS_FORM: DatabaseForm = {
  schema: SESSIONS_SCHEMA,
  version: 2,
  // Form 1 had no journal; what knows that form only must not open a database whose journal it would not see.
  takesOver: [1],
  // A record of a session fits one page of this size.
  pageBytes: 8192,
};

export function sqliteSessions(options: SqliteSessionsOptions): SqliteSessions {
  const { path, synchronous = 'normal' } = options;
  const db = openDatabase(path, SESSIONS_FORM, synchronous, true);
  try {
    return sessionsIn(db, { synchronous });
  } catch (error) {
    db.close();
    throw error;
  }
}

/** The store in a database that {@link openDatabase} has opened. */
export function sessionsIn(db: Database.Database, settings: JournalSettings = { synchronous: 'off' }): SqliteSessions {
  takeOverIntents(db);
  const rows = new JournalledRows(db, settings);
  const policyOf = db.prepare('SELECT body FROM policies WHERE key = ?').pluck();
  const policyKeys = db.prepare('SELECT key FROM policies').pluck();
  const removePolicy = db.prepare('DELETE FROM policies WHERE key = ?');
  const putRegistration = db.prepare('INSERT OR REPLACE INTO registrations (id, body) VALUES (?, ?)');
  const removeRegistration = db.prepare('DELETE FROM registrations WHERE id = ?');
  /** Work that is done, and of which the journal has not heard. */
  let done: string[] = [];
  /** Times in a row that a write came to nothing, of what a turn has changed and of what goes into the database at once. */
  const failing = { turns: 0, database: 0 };

  function attempt(what: keyof typeof failing, work: () => void): Error | undefined {
    try {
      work();
      failing[what] = 0;
      return undefined;
    } catch (error) {
      failing[what]++;
      return error as Error;
    }
  }

  /** One write of the database, beside the journal. */
  function change(work: () => void): void {
    attempt('database', db.transaction(work));
    rows.wrote();
  }

  function changesOf({ puts, deletes, intents, policies }: Batch): Changes {
    const changes = new Changes();
    for (const { key, body } of policies) changes.add('P', key, body);
    for (const { id, origin, state } of puts) {
      if (rows.sessions.has(id)) changes.add('s', id, '', state);
      else if (origin !== undefined) changes.add('S', id, origin, state);
    }
    for (const id of deletes) if (rows.sessions.has(id)) changes.add('d', id);
    for (const id of done) changes.add('w', id);
    for (const intent of intents) if (!rows.work.has(intent.id)) changes.add('W', intent.id, JSON.stringify(intent));
    return changes;
  }

  return {
    durable: true,
    commit(batch, finished) {
      const error = attempt('turns', () => {
        // The database has a policy before any session names it: the journal may be folded without those that do.
        for (const { key, body } of batch.policies) rows.putPolicy(key, body);
        const changes = changesOf(batch);
        if (changes.list.length > 0) rows.write(changes);
      });
      if (error === undefined) done = [];
      finished(error);
    },
    load(each) {
      rows.takeAll();
      for (const { number, id, origin, state } of read(db, LOAD) as StoredRow[]) {
        rows.sessions.loaded(id, number);
        each(id, origin, state);
      }
    },
    policy: (key) => policyOf.get(key) as string | undefined,
    keepPolicies(keys) {
      const over = (policyKeys.all() as string[]).filter((key) => !keys.has(key));
      // One that can not be deleted stays until the next start.
      if (over.length > 0) change(() => over.forEach((key) => void removePolicy.run(key)));
    },
    intents() {
      rows.takeAll();
      const stored = read(db, 'SELECT number, id, body FROM work') as { number: number; id: string; body: string }[];
      for (const { number, id } of stored) rows.work.loaded(id, number);
      return stored.map(({ body }) => JSON.parse(body) as HistoryIntent).sort((left, right) => left.at - right.at);
    },
    forgetIntents(ids) {
      for (const id of ids) {
        if (!rows.work.has(id)) continue;
        rows.work.over(id);
        done.push(id);
      }
    },
    registrations: {
      keep: (id, registration) => change(() => void putRegistration.run(id, JSON.stringify(registration))),
      forget: (id) => change(() => void removeRegistration.run(id)),
      kept: () => keptIn(db),
    },
    get failing() {
      return failing.turns + failing.database;
    },
    get behind() {
      return rows.behind;
    },
    get journalBytes() {
      return rows.journalBytes;
    },
    close() {
      rows.close();
      db.close();
    },
  };
}

const LOAD = 'SELECT number, id, origin, state FROM sessions ORDER BY number';

/** Work of a file that was written before its rows had numbers. */
function takeOverIntents(db: Database.Database): void {
  const before = db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'intents'").get();
  if (before === undefined) return;
  db.exec('BEGIN; INSERT INTO work (id, body) SELECT id, body FROM intents; DROP TABLE intents; COMMIT');
}

/** One row at a time: a provider's users, all at once, would be held twice. */
function* keptIn(db: Database.Database): Iterable<KeptRegistration> {
  try {
    const bodies = db.prepare('SELECT body FROM registrations').pluck().iterate() as IterableIterator<string>;
    for (const body of bodies) yield JSON.parse(body) as KeptRegistration;
  } catch (error) {
    throw new Error(`${db.name}: ${(error as Error).message}; ${DAMAGED}`);
  }
}
