/** One MSRP message on its way into the history: its chunks put together, in memory or, when it is long, in a file. */
import { CPIM_HEAD_LIMIT } from '../cpim/cpim.ts';
import type { ByteRange } from '../msrp/message/byte-range.ts';
import { Ranges } from './ranges.ts';
import type { SpoolFile } from './spool.ts';

export interface AssemblyOptions {
  /** Bytes that are kept in memory; more go into a file. */
  readonly memoryBytes: number;
  /** A new spool file. Throws where it can't be made. */
  readonly spool: () => SpoolFile;
}

/** A message that is whole. */
export interface Assembled {
  /** All of it where it was short; else as much as the head of a CPIM message may be. */
  readonly beginning: Buffer;
  readonly bytes: number;
  /** Where the rest is. */
  readonly file: SpoolFile | undefined;
}

/** Holes at a time; a sender that makes more of them plays with us. */
const MOST_PIECES = 64;

export class Assembly {
  /** Header lines of the first chunk that came. */
  readonly lines: string;
  readonly #options: AssemblyOptions;
  readonly #ranges = new Ranges();
  #memory = Buffer.alloc(0);
  #file: SpoolFile | undefined;
  #length = 0;
  #total: number | undefined;
  /** Why it will not be recorded. */
  #failed: Error | undefined;

  constructor(lines: string, options: AssemblyOptions) {
    this.lines = lines;
    this.#options = options;
  }

  /** Bytes of the message from `position` on. */
  put(bytes: Buffer, position: number): void {
    if (this.#failed !== undefined) return;
    try {
      this.#write(bytes, position);
      this.#ranges.add(position, position + bytes.length);
      this.#length = Math.max(this.#length, position + bytes.length);
      if (this.#ranges.pieces > MOST_PIECES) throw new Error(`in more than ${MOST_PIECES} pieces`);
    } catch (error) {
      this.#failed = error as Error;
      this.discard();
    }
  }

  /** The chunk with the end of the message: now its length is known. */
  ended(range: ByteRange, received: number): void {
    this.#total = range.total ?? range.start - 1 + received;
  }

  /** Why it can't be recorded, however much more of it comes. */
  get failed(): Error | undefined {
    return this.#failed;
  }

  /** True once every byte is there. */
  get whole(): boolean {
    return this.#total !== undefined && this.#ranges.covers(this.#total);
  }

  /** Closes it; an error where the disk did not take it. */
  finish(done: (error: Error | null, message?: Assembled) => void): void {
    const file = this.#file;
    const message = { beginning: this.#memory.subarray(0, this.#length), bytes: this.#length, file };
    if (file === undefined) done(null, message);
    else file.finish((error) => (error === null ? done(null, message) : done(error)));
  }

  /** Nobody wants it any more. */
  discard(): void {
    this.#file?.discard();
    this.#file = undefined;
    this.#memory = Buffer.alloc(0);
  }

  #write(bytes: Buffer, position: number): void {
    const end = position + bytes.length;
    if (this.#file === undefined && end > this.#options.memoryBytes) this.#spill();
    if (this.#file === undefined) {
      if (end > this.#memory.length) this.#grow(end);
      bytes.copy(this.#memory, position);
      return;
    }
    this.#file.write(bytes, position);
    // The head is looked at when the message is whole, and is at hand then.
    if (position < this.#memory.length) bytes.copy(this.#memory, position);
  }

  #grow(end: number): void {
    const memory = Buffer.alloc(Math.min(this.#options.memoryBytes, Math.max(end, this.#memory.length * 2)));
    this.#memory.copy(memory);
    this.#memory = memory;
  }

  #spill(): void {
    this.#file = this.#options.spool();
    if (this.#length > 0) this.#file.write(this.#memory.subarray(0, this.#length), 0);
    const head = Buffer.alloc(CPIM_HEAD_LIMIT);
    this.#memory.copy(head);
    this.#memory = head;
  }
}
