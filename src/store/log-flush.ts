/**
 * Brings a database's write-ahead log to the disk beside the loop. SQLite itself waits for the disk only when it copies
 * the log into the file, and then for everything since the last time: ten milliseconds, in which no call is answered.
 * Where most of the log is on the disk already, that moment is short and may be rare (docs/benchmarks.md). A power cut
 * takes less, too: what was written in the last moment, and not since the last copying.
 */
import { closeSync, fdatasync, openSync } from 'node:fs';

/** From a write until its flush begins. */
const FLUSH_MS = 200;

/** What a database needs by its setting: only `normal` leaves the log to a later moment, and cares for it. */
export function logFlush(path: string, synchronous: 'off' | 'normal' | 'full'): LogFlush | undefined {
  return synchronous === 'normal' && path !== ':memory:' ? new LogFlush(path) : undefined;
}

export class LogFlush {
  readonly #log: string;
  readonly #sync: typeof fdatasync;
  #descriptor: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #busy = false;
  #again = false;
  #closed = false;

  /** `path` is the database's. `sync` is for tests. */
  constructor(path: string, sync: typeof fdatasync = fdatasync) {
    this.#log = `${path}-wal`;
    this.#sync = sync;
  }

  /** Something was written. */
  wrote(): void {
    if (this.#busy) this.#again = true;
    else this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS).unref();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    if (!this.#busy) this.#release();
  }

  #flush(): void {
    this.#timer = undefined;
    const descriptor = this.#open();
    if (descriptor === undefined) return;
    this.#busy = true;
    // An error is not lost: the system tells it to SQLite as well, when that waits for the same file.
    this.#sync(descriptor, () => {
      this.#busy = false;
      if (this.#closed) this.#release();
      else if (this.#again) this.wrote();
      this.#again = false;
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
