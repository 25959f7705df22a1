/**
 * The tables of sessions and of history work, and the journal before them. What is written stands in the journal; when a
 * segment of that is full, the tables take what is still there of it, some rows at a time, while calls go on.
 *
 * A segment is free again when the tables have what was in it: the transaction that takes the last of it says so
 * (`journal.folded`), and is on the disk before anything is written over it, as far as `synchronous` asks for that.
 */
import { randomBytes } from 'node:crypto';
import type { fdatasync } from 'node:fs';
import type Database from 'better-sqlite3';
import { type Change, type Changes, changesIn, type Span } from './changes.ts';
import type { Synchronous } from './database.ts';
import { Journal } from './journal.ts';
import { type JournalFile, memoryFile, nodeFile } from './journal-file.ts';
import { LogFlush, logFlush } from './log-flush.ts';
import { read } from './read.ts';
import { Rows } from './rows.ts';
import type { Place, Segment } from './segment.ts';

/** Some hundred sessions' whole lives. Smaller and larger ones cost the same (docs/benchmarks.md). */
const SEGMENT_BYTES = 8 << 20;

/** Rows that are written at a time, while calls wait. */
const SLICE_ROWS = 32;

/** Before a database that could not be written is tried again. */
const RETRY_MS = 1000;

/** What is different from file to file, and in tests. */
export interface JournalSettings {
  readonly synchronous: Synchronous;
  readonly segmentBytes?: number;
  readonly sliceRows?: number;
  readonly files?: readonly [JournalFile, JournalFile];
  /** Runs something when what has come in the meantime is answered. */
  readonly soon?: (task: () => void) => void;
  readonly flush?: typeof fdatasync;
}

export class JournalledRows {
  readonly sessions: Rows;
  readonly work: Rows;
  readonly #db: Database.Database;
  readonly #journal: Journal;
  readonly #soon: (task: () => void) => void;
  readonly #sliceRows: number;
  readonly #putPolicy: Database.Statement;
  readonly #setFolded: Database.Statement;
  /** Of the database's log, and of each segment; none where nobody cares, or each write waits for the disk. */
  readonly #logFlush: LogFlush | undefined;
  readonly #flushes = new Map<Segment, LogFlush>();
  #closed = false;
  /** What database and disk said last, where they did not take what stands in the journal. */
  #notFolded: string | undefined;
  #notFlushed: string | undefined;

  /** Throws, with a path, where something can't be read. Afterwards the tables have everything. */
  constructor(db: Database.Database, settings: JournalSettings) {
    const { synchronous, segmentBytes = SEGMENT_BYTES, files = filesBeside(db.name) } = settings;
    this.#db = db;
    this.#soon = settings.soon ?? setImmediate;
    this.#sliceRows = settings.sliceRows ?? SLICE_ROWS;
    this.sessions = new Rows({
      insert: db.prepare('INSERT INTO sessions (id, origin, state) VALUES (?, ?, ?)'),
      update: db.prepare('UPDATE sessions SET state = ? WHERE number = ?'),
      remove: db.prepare('DELETE FROM sessions WHERE number = ?'),
    });
    this.work = new Rows({
      insert: db.prepare('INSERT INTO work (id, body) VALUES (?, ?)'),
      remove: db.prepare('DELETE FROM work WHERE number = ?'),
    });
    this.#putPolicy = db.prepare('INSERT OR IGNORE INTO policies (key, body) VALUES (?, ?)');
    this.#setFolded = db.prepare('UPDATE journal SET folded = ?');
    const { store, folded } = ownEntry(db);
    this.#journal = new Journal({ files, store, folded, segmentBytes, sync: synchronous === 'full' });
    this.#logFlush = logFlush(db.name, synchronous, settings.flush);
    this.#recover();
    this.#watchFlushes(synchronous, settings.flush);
  }

  #recover(): void {
    const journal = this.#journal;
    let frames = 0;
    journal.recover((text, segment, at, wide) => {
      if (frames++ === 0) this.#knowRows();
      const changes = changesIn(text);
      for (const { kind, id, first } of changes) {
        if (kind === 'P') this.putPolicy(id, text.slice(first.at, first.at + first.length));
      }
      this.#note(changes, segment, at, wide);
    });
    if (journal.generation > 0) this.#foldAll(journal.generation);
    // On the disk, before the journal goes on from it.
    this.#db.pragma('wal_checkpoint(TRUNCATE)');
    journal.begin();
  }

  /** Into the database, at once; one that is there stays as it is. */
  putPolicy(key: string, body: string): void {
    this.#putPolicy.run(key, body);
  }

  #knowRows(): void {
    for (const [rows, table] of [
      [this.sessions, 'sessions'],
      [this.work, 'work'],
    ] as const) {
      const all = read(this.#db, `SELECT number, id FROM ${table}`) as { number: number; id: string }[];
      for (const { number, id } of all) rows.loaded(id, number);
    }
  }

  #watchFlushes(synchronous: Synchronous, sync?: typeof fdatasync): void {
    if (synchronous !== 'normal') return;
    for (const segment of this.#journal.segments) {
      const { path } = segment.file;
      if (path === ':memory:') continue;
      const each = (error: Error | null): void => {
        this.#notFlushed = error?.message;
      };
      this.#flushes.set(segment, new LogFlush(path, each, sync));
    }
  }

  /** Why the database, or the disk, is behind the journal; undefined where they are not, or only by what is to be. */
  get behind(): string | undefined {
    return this.#notFolded ?? this.#notFlushed;
  }

  /** Bytes of the journal that the database may not have. */
  get journalBytes(): number {
    return this.#journal.bytes;
  }

  /** Writes all of this, or throws and nothing of it is written. */
  write(changes: Changes): void {
    if (this.#closed) throw new Error('the session store is closed');
    const { active } = this.#journal;
    const at = active.next;
    const wide = this.#journal.append(changes.text);
    this.#note(changes.list, active, at, wide);
    this.#flushes.get(active)?.wrote();
    this.#turn();
  }

  #note(changes: readonly Change[], segment: Segment, from: number, wide: boolean): void {
    const width = wide ? 2 : 1;
    const place = ({ at, length }: Span): Place => ({ segment, at: from + at * width, bytes: length * width, wide });
    for (const { kind, id, first, second } of changes) {
      if (kind === 'S') this.sessions.begun(id, place(first), place(second));
      else if (kind === 's') this.sessions.changed(id, place(second));
      else if (kind === 'd') this.sessions.over(id);
      else if (kind === 'W') this.work.begun(id, place(first), null);
      else if (kind === 'w') this.work.over(id);
    }
  }

  /** Goes on in the other segment where it is time to, and begins to fold the full one. */
  #turn(): void {
    try {
      if (!this.#journal.turn()) return;
    } catch (error) {
      this.#notFolded = (error as Error).message;
      return;
    }
    // Later frames on the disk count only where these are there as well.
    this.#flushes.get(this.#journal.sealed as Segment)?.now(() => {});
    this.#soon(() => this.#foldSome());
  }

  #foldSome(): void {
    const { sealed } = this.#journal;
    if (this.#closed || sealed === undefined) return;
    let done = false;
    try {
      this.#inTransaction(() => {
        const left = this.work.fold(sealed, this.sessions.fold(sealed, this.#sliceRows));
        done = left > 0;
        if (done) this.#setFolded.run(sealed.head.generation);
      });
    } catch (error) {
      this.#notFolded = (error as Error).message;
      this.#later(() => this.#foldSome());
      return;
    }
    this.#notFolded = undefined;
    if (done) this.#release();
    else this.#soon(() => this.#foldSome());
  }

  /** The segment may be written over once the database's log is on the disk. */
  #release(): void {
    if (this.#closed) return;
    const released = (error: Error | null): void => {
      if (this.#closed) return;
      if (error !== null) {
        this.#notFolded = error.message;
        return this.#later(() => this.#release());
      }
      this.#notFolded = undefined;
      this.#journal.release();
      this.#turn();
    };
    if (this.#logFlush === undefined) released(null);
    else this.#logFlush.now(released);
  }

  #later(task: () => void): void {
    setTimeout(task, RETRY_MS).unref();
  }

  /** The tables take everything that stands in the journal. Throws where they can't. */
  takeAll(): void {
    this.#foldAll();
  }

  /** With a generation: it is said to be folded. */
  #foldAll(generation?: number): void {
    this.#inTransaction(() => {
      for (const segment of this.#journal.segments) {
        this.sessions.fold(segment, Number.POSITIVE_INFINITY);
        this.work.fold(segment, Number.POSITIVE_INFINITY);
      }
      if (generation !== undefined) this.#setFolded.run(generation);
    });
  }

  #inTransaction(work: () => void): void {
    let stands = false;
    try {
      this.#db.transaction(work)();
      stands = true;
    } finally {
      this.sessions.folded(stands);
      this.work.folded(stands);
    }
  }

  /** Something was written into the database beside the rows. */
  wrote(): void {
    this.#logFlush?.wrote();
  }

  /** The journal goes, since the database has everything; where it can't take that, the journal stays for the next start. */
  close(): void {
    this.#closed = true;
    for (const flush of [this.#logFlush, ...this.#flushes.values()]) flush?.close();
    try {
      this.#foldAll(this.#journal.generation);
      this.#db.pragma('wal_checkpoint(TRUNCATE)');
    } catch {
      this.#journal.close();
      return;
    }
    this.#journal.remove();
  }
}

function filesBeside(path: string): readonly [JournalFile, JournalFile] {
  if (path === ':memory:') return [memoryFile(), memoryFile()];
  return [nodeFile(`${path}.journal-1`), nodeFile(`${path}.journal-2`)];
}

/** What the database says of its journal. */
function ownEntry(db: Database.Database): { readonly store: string; readonly folded: number } {
  const entries = read(db, 'SELECT store, folded FROM journal') as { store: string; folded: number }[];
  const [entry] = entries;
  if (entry !== undefined) return entry;
  const made = { store: randomBytes(8).toString('hex'), folded: 0 };
  db.prepare('INSERT INTO journal (store, folded) VALUES (?, ?)').run(made.store, made.folded);
  return made;
}
