/**
 * Sessions, the outbox and the policies they name, in one SQLite file: one transaction for everything that changed in
 * a turn of the event loop. Survives `kill -9`; with `synchronous: full` also a power cut.
 */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import type { Batch, SessionStore } from '../engine/ports.ts';
import type { HistoryIntent } from '../history/intent.ts';

export interface SqliteSessionsOptions {
  /** File, made with its folder where it is not there; `:memory:` for none. */
  readonly path: string;
  readonly synchronous?: 'normal' | 'full';
}

export interface SqliteSessions extends SessionStore {
  /** History work that was not done when the process ended. */
  intents(): HistoryIntent[];
  /** History work that is done. Written with the next batch, since doing it again is harmless. */
  forgetIntents(ids: readonly string[]): void;
  /** Times the file could not be written since it last could. */
  readonly failing: number;
  close(): void;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS sessions (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS intents (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS policies (key TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
`;

/** Form of the file. A file of another form is left alone. */
const USER_VERSION = 1;

export function sqliteSessions(options: SqliteSessionsOptions): SqliteSessions {
  const db = openDatabase(options.path, SCHEMA, USER_VERSION, options.synchronous ?? 'normal');
  const put = db.prepare(
    'INSERT INTO sessions (id, body) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body',
  );
  const remove = db.prepare('DELETE FROM sessions WHERE id = ?');
  const putIntent = db.prepare('INSERT OR IGNORE INTO intents (id, body) VALUES (?, ?)');
  const removeIntent = db.prepare('DELETE FROM intents WHERE id = ?');
  const putPolicy = db.prepare('INSERT OR IGNORE INTO policies (key, body) VALUES (?, ?)');
  const policyOf = db.prepare('SELECT body FROM policies WHERE key = ?').pluck();
  const [begin, commit, rollback] = ['BEGIN IMMEDIATE', 'COMMIT', 'ROLLBACK'].map((text) => db.prepare(text)) as [
    Database.Statement,
    Database.Statement,
    Database.Statement,
  ];
  let done: string[] = [];
  let failing = 0;

  function write(batch: Batch): void {
    for (const { key, body } of batch.policies) putPolicy.run(key, body);
    for (const { id, body } of batch.puts) put.run(id, body);
    for (const id of batch.deletes) remove.run(id);
    for (const intent of batch.intents) putIntent.run(intent.id, JSON.stringify(intent));
    for (const id of done) removeIntent.run(id);
  }

  function inTransaction(work: () => void): Error | undefined {
    try {
      begin.run();
      work();
      commit.run();
      failing = 0;
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
      const error = inTransaction(() => write(batch));
      if (error === undefined) done = [];
      finished(error);
    },
    load(each) {
      for (const row of db.prepare('SELECT id, body FROM sessions').all() as { id: string; body: string }[]) {
        each(row.id, row.body);
      }
    },
    policy: (key) => policyOf.get(key) as string | undefined,
    intents: () =>
      (db.prepare('SELECT body FROM intents').pluck().all() as string[]).map(
        (body) => JSON.parse(body) as HistoryIntent,
      ),
    forgetIntents(ids) {
      done.push(...ids);
    },
    get failing() {
      return failing;
    },
    close() {
      inTransaction(() => write({ puts: [], deletes: [], intents: [], policies: [] }));
      db.close();
    },
  };
}

/** A database file in WAL mode with the given tables. Throws where it belongs to something else or can't be opened. */
export function openDatabase(
  path: string,
  schema: string,
  userVersion: number,
  synchronous: 'normal' | 'full',
): Database.Database {
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true });
  const db = new Database(path);
  const found = db.pragma('user_version', { simple: true }) as number;
  if (found !== 0 && found !== userVersion) {
    db.close();
    throw new Error(
      `${path}: made by another version (form ${found}, expected ${userVersion}); move it away to start anew`,
    );
  }
  db.pragma('journal_mode = WAL');
  db.pragma(`synchronous = ${synchronous}`);
  db.pragma('busy_timeout = 2000');
  db.exec(schema);
  db.pragma(`user_version = ${userVersion}`);
  return db;
}
