/**
 * Brings a file that grows to the disk beside the loop: a database's write-ahead log, or the journal before it. SQLite
 * itself waits for the disk only when it copies its log into the file, and then for everything since the last time: ten
 * milliseconds, in which no call is answered. Where most of the log is on the disk already, that moment is short and may
 * be rare (docs/benchmarks.md). A power cut takes less, too: what was written in the last moment, and not since the last
 * copying.
 */
import { closeSync, fdatasync, openSync } from 'node:fs';
import type { Synchronous } from './database.ts';

/** From a write until its flush begins. */
const FLUSH_MS = 200;

/** What a database needs by its setting: only `normal` leaves the log to a later moment, and cares for it. */
export function logFlush(path: string, synchronous: Synchronous, sync = fdatasync): LogFlush | undefined {
  return synchronous === 'normal' && path !== ':memory:' ? new LogFlush(`${path}-wal`, undefined, sync) : undefined;
}

/** Hears when a flush is done, with the error where it is not. */
type Flushed = (error: Error | null) => void;

export class LogFlush {
  readonly #log: string;
  readonly #sync: typeof fdatasync;
  #descriptor: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #busy = false;
  #again = false;
  #closed = false;
  /** Wait for a flush that begins from now on. */
  #waiting: Flushed[] = [];

  readonly #each: Flushed;

  /** `log` is the file's path. `each` hears of every flush. `sync` is for tests. */
  constructor(log: string, each: Flushed = () => {}, sync: typeof fdatasync = fdatasync) {
    this.#log = log;
    this.#each = each;
    this.#sync = sync;
  }

  /** Something was written. */
  wrote(): void {
    if (this.#busy) this.#again = true;
    else this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS).unref();
  }

  /** Flushes at once what was written up to now, and says when that is done. */
  now(flushed: Flushed): void {
    this.#waiting.push(flushed);
    if (!this.#busy) this.#flush();
  }

  close(): void {
    this.#closed = true;
    this.#waiting = [];
    clearTimeout(this.#timer);
    if (!this.#busy) this.#release();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const waiting = this.#waiting;
    this.#waiting = [];
    const descriptor = this.#open();
    if (descriptor === undefined) {
      for (const flushed of waiting) flushed(new Error(`${this.#log}: can't be opened`));
      return;
    }
    this.#busy = true;
    this.#again = false;
    // An error with a database's log is not lost: the system tells it to SQLite as well, when that waits for the same file.
    this.#sync(descriptor, (error) => {
      this.#busy = false;
      if (this.#closed) return this.#release();
      this.#each(error);
      for (const flushed of waiting) flushed(error);
      if (this.#waiting.length > 0 && !this.#busy) this.#flush();
      else if (this.#again) this.wrote();
    });
  }

  /** Undefined where the log can't be had: then SQLite waits for the disk, as it would without this. */
  #open(): number | undefined {
    try {
      this.#descriptor ??= openSync(this.#log, 'r+');
    } catch {
      return undefined;
    }
    return this.#descriptor;
  }

  #release(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}
