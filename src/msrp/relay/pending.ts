/** Requests of ours on one connection whose answer is awaited (RFC 4975 7.1.1). */
import type { Exchange } from './exchange.ts';

interface Entry {
  readonly exchange: Exchange;
  /** When its last byte was sent, ms since the epoch; 0 while it is being sent. */
  since: number;
}

/** A connection that sent a million requests a second would need thirty years for more. */
const MOST_DIGITS = 15;

/**
 * Transaction ids of ours on one connection are `abcdefghijkmnpq.1`, `abcdefghijkmnpq.2` and so on: random for each
 * connection, so that nobody who sends over another can know them (RFC 4975 7.1 asks for 64 bits), and a number, so that
 * an answer finds its request without the id being hashed.
 */
export class Pending {
  readonly #entries = new Map<number, Entry>();
  readonly #limit: number;
  /** What its ids begin with, before their number. */
  readonly prefix: string;
  #last = 0;
  /** Those of which an answer must come; a sender that wants errors only may never get one. */
  #owed = 0;

  constructor(limit: number, token: string) {
    this.#limit = limit;
    this.prefix = `${token}.`;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** True where nobody should ask anything more before some of it is answered. */
  get full(): boolean {
    return this.#owed >= this.#limit;
  }

  /** A new transaction, noted with the exchange its answer belongs to; the number in its id. */
  begin(exchange: Exchange | undefined, endedAt: number): number {
    const number = ++this.#last;
    if (exchange !== undefined) this.#add(number, exchange, endedAt);
    return number;
  }

  idOf(number: number): string {
    return this.prefix + number;
  }

  #add(number: number, exchange: Exchange, since: number): void {
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
    this.#entries.set(number, { exchange, since });
  }

  ended(id: string, now: number): void {
    const entry = this.#entries.get(this.#numberOf(id));
    if (entry !== undefined) entry.since = now;
  }

  settle(id: string, status: number): void {
    const number = this.#numberOf(id);
    const entry = this.#entries.get(number);
    if (entry === undefined) return;
    this.#forget(number, entry);
    entry.exchange.settle(status);
  }

  /** 0, which is nobody's, for an id that is not ours. */
  #numberOf(id: string): number {
    const { length } = this.prefix;
    if (id.length > length + MOST_DIGITS || !id.startsWith(this.prefix)) return 0;
    let number = 0;
    for (let at = length; at < id.length; at++) {
      const digit = id.charCodeAt(at) - 0x30;
      // A number that is written in another way is another id.
      if (digit < 0 || digit > 9 || (digit === 0 && at === length)) return 0;
      number = number * 10 + digit;
    }
    return number;
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

  #forget(id: number, { exchange }: Entry): void {
    this.#entries.delete(id);
    if (exchange.wanted === 'yes') this.#owed--;
  }
}
