/**
 * One-use tickets for `/inspect`. A browser can't put a bearer token on a WebSocket, and a token in a URL ends up in
 * logs; a ticket there is worthless once it was used, or after half a minute.
 */
import { randomBytes } from 'node:crypto';

export const TICKET_MS = 30_000;
/** Tickets that wait to be used; beyond, the oldest goes. */
const MAX_TICKETS = 100;

export class Tickets {
  readonly #now: () => number;
  /** When each ends, ms since the epoch. */
  readonly #open = new Map<string, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  issue(): string {
    const ticket = randomBytes(24).toString('base64url');
    if (this.#open.size >= MAX_TICKETS) this.#open.delete(this.#open.keys().next().value as string);
    this.#open.set(ticket, this.#now() + TICKET_MS);
    return ticket;
  }

  /** True the first time it is shown, while it is good. */
  take(ticket: string): boolean {
    const end = this.#open.get(ticket);
    this.#open.delete(ticket);
    return end !== undefined && end > this.#now();
  }
}
