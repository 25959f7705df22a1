/**
 * Who wrote to whom last, so that an answer finds its session; and, once that is over, its user. Bounded in number and
 * in time: whoever is forgotten is found by address only.
 */
import type { Session } from './session.ts';

export interface Contact {
  /** URI of the CPM user. */
  readonly user: string;
  /** URI by which the user knows the other one. */
  readonly peer: string;
  readonly conversationId: string;
}

interface Entry {
  contact: Contact;
  session: Session | undefined;
  until: number;
}

export class Correspondence {
  /** The one used longest ago first. */
  readonly #entries = new Map<string, Entry>();
  readonly #max: number;
  readonly #keepMs: number;

  constructor(max: number, keepMs: number) {
    this.#max = max;
    this.#keepMs = keepMs;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** `session` is where answers under this key go from now on. */
  note(key: string, session: Session, now: number): void {
    this.#entries.delete(key);
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined && this.#entries.size >= this.#max) this.#entries.delete(oldest);
    this.#entries.set(key, { contact: session.contact, session, until: now + this.#keepMs });
  }

  find(key: string, now: number): { readonly contact: Contact; readonly session: Session | undefined } | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    // An ended session must not be held by what is known of its user.
    if (entry.session?.standing === false) entry.session = undefined;
    if (entry.session !== undefined || entry.until >= now) return entry;
    this.#entries.delete(key);
    return undefined;
  }
}
