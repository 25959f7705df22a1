/** A message store behind a bad line: slow, failing, or doing what it is asked and saying that it failed. */
import type { Done, HistoryDriver, Pointer } from '../history/driver.ts';
import type { FolderRef } from '../history/intent.ts';
import { MemoryHistory } from '../history/memory.ts';
import type { Clock } from '../time/clock.ts';
import type { Chronicle, HistoryEntry } from './chronicle.ts';

/** `lost`: it is done, and the answer is an error all the same. */
export type HistoryMood = 'well' | 'failing' | 'lost';

type Fact = Pick<HistoryEntry, 'done' | 'folder' | 'uid' | 'pointer' | 'object'>;

export class UnreliableHistory implements HistoryDriver {
  readonly memory = new MemoryHistory();
  mood: HistoryMood = 'well';
  /** How long each operation takes, ms. */
  delayMs = 0;
  /** Runs when an operation is done in the store and nobody has heard of it yet: the instant to crash at. */
  done: () => void = () => {};
  readonly #clock: Clock;
  readonly #chronicle: Chronicle;

  constructor(clock: Clock, chronicle: Chronicle) {
    this.#clock = clock;
    this.#chronicle = chronicle;
  }

  openFolder(folder: FolderRef, done: Done<void>): void {
    this.#answer(
      done,
      (then) => this.memory.openFolder(folder, then),
      () => ({ done: 'folder', folder }),
    );
  }

  append(folder: FolderRef, key: string, object: string, done: Done<number>): void {
    this.#answer(
      done,
      (then) => this.memory.append(folder, key, object, then),
      (uid) => ({ done: 'append', folder, object, ...(uid === undefined ? {} : { uid }) }),
    );
  }

  setPointer(folder: FolderRef, pointer: Pointer, uid: number, done: Done<void>): void {
    this.#answer(
      done,
      (then) => this.memory.setPointer(folder, pointer, uid, then),
      () => ({ done: 'pointer', folder, pointer, uid }),
    );
  }

  getPointer(folder: FolderRef, pointer: Pointer, done: Done<number | null>): void {
    this.#answer(
      done,
      (then) => this.memory.getPointer(folder, pointer, then),
      () => undefined,
    );
  }

  remove(folder: FolderRef, uid: number, done: Done<void>): void {
    this.#answer(
      done,
      (then) => this.memory.remove(folder, uid, then),
      () => ({ done: 'remove', folder, uid }),
    );
  }

  close(): void {}

  /** Does it in the memory after the delay, as the store's mood then is, and answers. */
  #answer<T>(done: Done<T>, work: (then: Done<T>) => void, fact: (value: T | undefined) => Fact | undefined): void {
    const perform = (): void => {
      const { mood } = this;
      if (mood === 'failing') return done(new Error('the message store is down'));
      work((error, value) => {
        const known = error === null ? fact(value) : undefined;
        if (known !== undefined) this.#chronicle.note({ kind: 'history', at: this.#clock.now(), ...known });
        this.done();
        if (mood === 'lost') done(new Error('the connection broke'));
        else if (error !== null) done(error);
        else done(null, value);
      });
    };
    if (this.delayMs === 0) perform();
    else this.#clock.schedule(this.delayMs, { onTimer: perform }, 'messageStore');
  }
}
