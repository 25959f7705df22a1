/** A session store whose process and disk are the test's. */
import Database from 'better-sqlite3';
import type { Batch } from '../../src/engine/ports.ts';
import type { HistoryIntent } from '../../src/history/intent.ts';
import { openDatabase } from '../../src/store/database.ts';
import { SESSIONS_FORM, type SqliteSessions, sessionsIn } from '../../src/store/sqlite.ts';
import { StagedFile } from './journal-files.ts';

/** Small enough that a few writes fill one. */
export const SEGMENT_BYTES = 300;

export const SLICE_ROWS = 2;

export function intent(id: string): HistoryIntent {
  const folder = { user: 'sip:alice@home.example', conversationId: 'v', contributionId: 'c' };
  return { kind: 'open', id, session: id, folder, at: 1, object: `object ${id}` };
}

/** A store whose database and journal can be taken to another process, at any moment. */
export class Staged {
  readonly database: Database.Database;
  readonly files: readonly [StagedFile, StagedFile];
  readonly store: SqliteSessions;
  readonly #synchronous: 'off' | 'full';
  /** What waits until calls have been answered. */
  readonly waiting: (() => void)[] = [];

  constructor(
    database = openDatabase(':memory:', SESSIONS_FORM, 'normal', true),
    files: readonly [StagedFile, StagedFile] = [new StagedFile('one'), new StagedFile('two')],
    synchronous: 'off' | 'full' = 'off',
  ) {
    this.database = database;
    this.files = files;
    this.#synchronous = synchronous;
    this.store = sessionsIn(database, {
      synchronous,
      segmentBytes: SEGMENT_BYTES,
      sliceRows: SLICE_ROWS,
      files,
      soon: (task) => void this.waiting.push(task),
    });
  }

  /** What the next process finds. */
  killed(): Staged {
    return this.#next(({ bytes }) => bytes);
  }

  /** What it finds after a power cut. */
  withoutPower(): Staged {
    return this.#next(({ synced }) => synced);
  }

  #next(left: (file: StagedFile) => Buffer): Staged {
    const files = this.files.map((file) => new StagedFile(file.path, left(file))) as [StagedFile, StagedFile];
    return new Staged(new Database(this.database.serialize()), files, this.#synchronous);
  }

  commit(batch: Partial<Batch>): Error | undefined {
    let failed: Error | undefined;
    this.store.commit({ puts: [], deletes: [], intents: [], policies: [], ...batch }, (error) => {
      failed = error;
    });
    return failed;
  }

  begin(id: string, size = 10): Error | undefined {
    return this.commit({ puts: [{ id, origin: `origin ${id}`, state: 'x'.repeat(size) }] });
  }

  /** While this runs, the database takes nothing: the last word of each transaction fails. */
  withoutDatabase(work: () => void): void {
    this.database.exec(
      "CREATE TEMP TRIGGER broken BEFORE UPDATE ON journal BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END",
    );
    work();
    this.database.exec('DROP TRIGGER broken');
  }

  /** Everything that waits, and what that brings about. */
  settle(): void {
    while (this.waiting.length > 0) (this.waiting.shift() as () => void)();
  }

  /** Sessions in the database's table, whatever the journal says. */
  inTable(): string[] {
    return this.database.prepare('SELECT id FROM sessions ORDER BY id').pluck().all() as string[];
  }

  loaded(): Record<string, string> {
    const found: Record<string, string> = {};
    this.store.load((id, origin, state) => {
      found[id] = `${origin}: ${state}`;
    });
    return found;
  }
}
