/** The rows of history work in the session store: its outbox. */
import type Database from 'better-sqlite3';
import type { HistoryIntent } from '../history/intent.ts';
import { read } from './read.ts';

/** History work that waits. Work that is done makes room for what comes next; what is left over of it is deleted. */
export class WorkRows {
  readonly #db: Database.Database;
  readonly #insert: Database.Statement;
  readonly #replace: Database.Statement;
  readonly #remove: Database.Statement;
  readonly #rows = new Map<string, number | bigint>();
  /** Rows of work that is done, until the next batch is written. */
  #free: (number | bigint)[] = [];
  /** What the batch under way has put, to be taken back where it can't be written. */
  #put: string[] = [];

  constructor(db: Database.Database) {
    this.#db = db;
    this.#takeOver();
    this.#insert = db.prepare('INSERT INTO work (id, body) VALUES (?, ?)');
    this.#replace = db.prepare('UPDATE work SET id = ?, body = ? WHERE number = ?');
    this.#remove = db.prepare('DELETE FROM work WHERE number = ?');
  }

  /** Work of a file that was written before there were numbers. */
  #takeOver(): void {
    const before = this.#db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'intents'").get();
    if (before === undefined) return;
    this.#db.exec('BEGIN; INSERT INTO work (id, body) SELECT id, body FROM intents; DROP TABLE intents; COMMIT');
  }

  load(): HistoryIntent[] {
    const stored = read(this.#db, 'SELECT number, id, body FROM work') as {
      number: number;
      id: string;
      body: string;
    }[];
    for (const { number, id } of stored) this.#rows.set(id, number);
    return stored.map(({ body }) => JSON.parse(body) as HistoryIntent);
  }

  done(ids: readonly string[]): void {
    for (const id of ids) {
      const row = this.#rows.get(id);
      if (row === undefined) continue;
      this.#rows.delete(id);
      this.#free.push(row);
    }
  }

  statementsFor(intents: readonly HistoryIntent[]): number {
    return Math.max(intents.length, this.#free.length);
  }

  /** Inside a transaction, or as its only statement. */
  write(intents: readonly HistoryIntent[]): void {
    const free = [...this.#free];
    for (const intent of intents) {
      if (this.#rows.has(intent.id)) continue;
      const body = JSON.stringify(intent);
      const row = free.pop();
      if (row !== undefined) this.#replace.run(intent.id, body, row);
      this.#rows.set(intent.id, row ?? this.#insert.run(intent.id, body).lastInsertRowid);
      this.#put.push(intent.id);
    }
    for (const row of free) this.#remove.run(row);
  }

  /** What was put stands, or nothing of it does and the rows are as they were. */
  written(stands: boolean): void {
    if (stands) this.#free = [];
    else for (const id of this.#put) this.#rows.delete(id);
    this.#put = [];
  }
}
