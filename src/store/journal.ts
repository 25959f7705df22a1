/**
 * The journal of the session store: where a turn's changes go first, in one write at the end of a file, until the store
 * takes what still matters of it into its database. Most sessions are over by then, and the database never hears of them.
 *
 * Two segments take turns. One is written; when it is full, the other one is, as soon as the database has what was in
 * that. A restart reads what the database does not have, in the order in which it was written.
 */
import type { JournalFile } from './journal-file.ts';
import { Segment } from './segment.ts';

export interface JournalOptions {
  readonly files: readonly [JournalFile, JournalFile];
  /** The database it belongs to. */
  readonly store: string;
  /** Last generation of which the database has everything. */
  readonly folded: number;
  /** Bytes after which the other segment is next. */
  readonly segmentBytes: number;
  /** Waits for the disk at each write. */
  readonly sync: boolean;
}

/** Segments that the database can't take grow up to this many times their size. */
const GROWTH = 32;

export class Journal {
  readonly #options: JournalOptions;
  readonly segments: readonly [Segment, Segment];
  #active: Segment;
  #sealed: Segment | undefined;

  /** Throws where a file can't be read or belongs to another database. */
  constructor(options: JournalOptions) {
    this.#options = options;
    const [one, other] = options.files;
    this.segments = [new Segment(one), new Segment(other)];
    for (const segment of this.segments) {
      segment.readHead();
      const { generation, store } = segment.head;
      if (generation === 0 || store === options.store) continue;
      throw new Error(
        `${segment.file.path}: belongs to another database; bring that back beside it, or move both journals away to start anew`,
      );
    }
    this.#active = this.segments[0];
  }

  /**
   * What the database does not have, in order. Where a power cut has taken frames, or the database was brought back from
   * a copy, what was written after the gap does not fit any more and is left out. Afterwards {@link begin}.
   */
  recover(each: (text: string, segment: Segment, at: number, wide: boolean) => void): void {
    let { folded: generation } = this.#options;
    let check: number | undefined;
    for (;;) {
      generation++;
      const next = this.segments.find(({ head }) => head.generation === generation);
      if (next === undefined || (check !== undefined && next.head.follows !== check)) return;
      next.readFrames((text, at, wide) => each(text, next, at, wide));
      check = next.check;
    }
  }

  /** The last generation there was. */
  get generation(): number {
    return Math.max(this.#options.folded, ...this.segments.map(({ head }) => head.generation));
  }

  /** The database has everything: the first segment begins anew. */
  begin(): void {
    this.#begin(this.segments[0], this.generation + 1, 0);
    this.#sealed = undefined;
  }

  /** The segment that is written. */
  get active(): Segment {
    return this.#active;
  }

  /** The full one, of which the database has to take what still matters. */
  get sealed(): Segment | undefined {
    return this.#sealed;
  }

  /** Of both segments. */
  get bytes(): number {
    return this.#active.end + (this.#sealed?.end ?? 0);
  }

  /** Writes this into the active segment. True where its characters have two bytes each. Throws where it can't be. */
  append(text: string): boolean {
    const { segmentBytes, sync } = this.#options;
    if (this.#active.end > GROWTH * segmentBytes) {
      throw new Error(`${this.#active.file.path}: full, since the database can't be written`);
    }
    return this.#active.append(text, sync);
  }

  /** Begins with the other segment where this one is full and that one is free. True where it does. */
  turn(): boolean {
    if (this.#active.end < this.#options.segmentBytes || this.#sealed !== undefined) return false;
    const full = this.#active;
    const [one, other] = this.segments;
    this.#begin(full === one ? other : one, full.head.generation + 1, full.check);
    this.#sealed = full;
    return true;
  }

  /** The database has all of the full segment, also after a power cut as far as anything is kept from those. */
  release(): void {
    this.#sealed = undefined;
  }

  close(): void {
    for (const { file } of this.segments) file.close();
  }

  /** Closes it, and leaves no file: the database has everything. One that can't be taken away is known to be folded. */
  remove(): void {
    for (const { file } of this.segments) {
      file.close();
      try {
        file.remove();
      } catch {}
    }
  }

  #begin(segment: Segment, generation: number, follows: number): void {
    // One that has grown while the database could not be written gives its room back.
    if (segment.file.size > 2 * this.#options.segmentBytes) segment.file.cut(0);
    segment.begin({ generation, store: this.#options.store, follows });
    this.#active = segment;
  }
}
