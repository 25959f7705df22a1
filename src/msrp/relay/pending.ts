/** Requests of ours on one connection whose answer is awaited (RFC 4975 7.1.1). */
import type { Exchange } from './exchange.ts';

interface Entry {
  readonly exchange: Exchange;
  /** When its last byte was sent, ms since the epoch; 0 while it is being sent. */
  since: number;
}

export class Pending {
  readonly #entries = new Map<string, Entry>();
  readonly #limit: number;
  /** Those of which an answer must come; a sender that wants errors only may never get one. */
  #owed = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** True where nobody should ask anything more before some of it is answered. */
  get full(): boolean {
    return this.#owed >= this.#limit;
  }

  add(id: string, exchange: Exchange): void {
    if (exchange.wanted === 'yes') {
      this.#owed++;
      exchange.await();
    } else if (this.#entries.size >= 2 * this.#limit) {
      // Errors are all that could still come for the oldest: it has had the longest time for one.
      for (const [oldest, entry] of this.#entries) {
        if (entry.exchange.wanted === 'yes') continue;
        this.#entries.delete(oldest);
        break;
      }
    }
    this.#entries.set(id, { exchange, since: 0 });
  }

  ended(id: string, now: number): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.since = now;
  }

  settle(id: string, status: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#forget(id, entry);
    entry.exchange.settle(status);
  }

  /** RFC 4975 7.1.1: no answer within the time is a 408; where only errors were wanted, it is none. */
  expire(before: number): void {
    for (const [id, entry] of this.#entries) {
      if (entry.since === 0) continue;
      if (entry.since > before) return;
      this.#forget(id, entry);
      if (entry.exchange.wanted === 'yes') entry.exchange.settle(408);
    }
  }

  /** The connection is gone. */
  fail(status: number): void {
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    this.#owed = 0;
    for (const { exchange, since } of entries) if (exchange.wanted === 'yes' || since === 0) exchange.settle(status);
  }

  #forget(id: string, { exchange }: Entry): void {
    this.#entries.delete(id);
    if (exchange.wanted === 'yes') this.#owed--;
  }
}
