/**
 * The rows of one table, and what stands of them in the journal only. Each thing has a name, a first text that is written
 * once, and perhaps a second one that is written often. When a segment of the journal is full, the table takes what is
 * still there of it: what is over by then it never hears of.
 */
import type Database from 'better-sqlite3';
import { Registry } from '../registry.ts';
import type { Place, Segment } from './segment.ts';

type RowNumber = number | bigint;

/** What there is of a thing, and where. */
interface Standing {
  /** Null until the table has it. */
  row: RowNumber | null;
  /** In the journal; null where the table has it, or there is none. */
  first: Place | null;
  second: Place | null;
}

interface Entry extends Standing {
  readonly id: string;
  over: boolean;
}

/** How a table is written. Its rows are found by number: names are looked at when all is loaded. */
export interface RowStatements {
  /** Name, first and second text. */
  readonly insert: Database.Statement;
  /** Second text and number; undefined where there is only the first. */
  readonly update?: Database.Statement;
  readonly remove: Database.Statement;
}

export class Rows {
  readonly #statements: RowStatements;
  readonly #entries = new Registry<Entry>();
  /** What stands in each segment, or has stood there, until that is folded. */
  readonly #standing = new Map<Segment, Entry[]>();
  /** Rows of what is over, until they are deleted. */
  #over: RowNumber[] = [];
  /** What the transaction under way has changed, as it was before. */
  #before: { readonly entry: Entry; readonly was: Standing }[] = [];
  #removed: RowNumber[] = [];
  /** How many it has seen to, from the front of each list. */
  #seenTo: { readonly standing: Entry[]; readonly count: number }[] = [];

  constructor(statements: RowStatements) {
    this.#statements = statements;
  }

  has(id: string): boolean {
    return this.#entries.has(id);
  }

  /** The table has it. */
  loaded(id: string, row: RowNumber): void {
    if (!this.has(id)) this.#entries.set(id, { id, row, first: null, second: null, over: false });
  }

  /** The journal has it. Where it is known, its first text is too. */
  begun(id: string, first: Place, second: Place | null): void {
    if (this.has(id)) {
      if (second !== null) this.changed(id, second);
      return;
    }
    const entry: Entry = { id, row: null, first, second, over: false };
    this.#entries.set(id, entry);
    this.#standingIn(first.segment).push(entry);
  }

  /** The journal has a new second text. One that never began has none. */
  changed(id: string, second: Place): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    const { segment } = second;
    if (entry.first?.segment !== segment && entry.second?.segment !== segment) this.#standingIn(segment).push(entry);
    entry.second = second;
  }

  over(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    entry.over = true;
    if (entry.row !== null) this.#over.push(entry.row);
  }

  #standingIn(segment: Segment): Entry[] {
    let standing = this.#standing.get(segment);
    if (standing === undefined) {
      standing = [];
      this.#standing.set(segment, standing);
    }
    return standing;
  }

  /**
   * Inside a transaction: deletes rows of what is over, and writes what stands in this segment with its last texts,
   * wherever those are. Does up to `limit` of that and gives how much more it could have done. Then {@link folded}.
   */
  fold(segment: Segment, limit: number): number {
    let left = limit - this.#removeOver(limit);
    const standing = this.#standingIn(segment);
    let count = 0;
    while (count < standing.length && left > 0) if (this.#write(standing[count++] as Entry)) left--;
    this.#seenTo.push({ standing, count });
    return left;
  }

  #removeOver(limit: number): number {
    const removed = this.#over.splice(0, limit);
    this.#removed = [...this.#removed, ...removed];
    for (const row of removed) this.#statements.remove.run(row);
    return removed.length;
  }

  /** False where there is nothing to write. */
  #write(entry: Entry): boolean {
    const { row, first, second } = entry;
    if (entry.over || (first === null && second === null)) return false;
    this.#before.push({ entry, was: { row, first, second } });
    const texts = second === null ? [] : [textAt(second)];
    if (row !== null) this.#statements.update?.run(...texts, row);
    else entry.row = this.#statements.insert.run(entry.id, textAt(first as Place), ...texts).lastInsertRowid;
    entry.first = null;
    entry.second = null;
    return true;
  }

  /** The transaction stands, or nothing of it does. */
  folded(stands: boolean): void {
    if (stands) for (const { standing, count } of this.#seenTo) standing.splice(0, count);
    else {
      for (const { entry, was } of this.#before.reverse()) Object.assign(entry, was);
      this.#over = [...this.#removed, ...this.#over];
    }
    this.#seenTo = [];
    this.#removed = [];
    this.#before = [];
  }
}

function textAt(place: Place): string {
  return place.segment.textAt(place);
}
