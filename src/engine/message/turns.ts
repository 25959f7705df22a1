/** Whose turn it is: the first of each user's kept messages, once a client is there, and only so many at a time. */
import { takesMessages } from '../../../machines/message/guards.ts';
import type { ProfilePort } from '../ports.ts';
import type { Message } from './message.ts';
import type { Queues } from './queues.ts';

export interface TurnsHost {
  readonly queues: Queues;
  readonly profiles: ProfilePort;
  /** ms since the epoch. */
  now(): number;
  /** Messages delivered at a time. */
  atOnce(): number;
  /** Its turn has come. */
  turnCame(message: Message): void;
}

export class Turns {
  readonly #host: TurnsHost;
  /** Being delivered to clients. */
  readonly #delivering = new Set<Message>();
  /** Users whose turn has to wait until others are delivered. */
  readonly #patient = new Set<string>();
  #seeing = false;

  constructor(host: TurnsHost) {
    this.#host = host;
  }

  isDelivered(message: Message | undefined): boolean {
    return message !== undefined && this.#delivering.has(message);
  }

  /** Takes note of where a message is. True where it has just freed a place. */
  note(message: Message): boolean {
    if (message.state !== 'kept.delivering') return this.#delivering.delete(message);
    this.#delivering.add(message);
    return false;
  }

  /** Asks whether a client of the user is there, for the first of those kept. */
  see(user: string): void {
    const { queues, profiles } = this.#host;
    const first = queues.first(user);
    if (first?.state !== 'kept.waiting' || this.#mustBePatient(user)) return;
    const { query, service } = first.papers.asked;
    profiles.lookUp({ at: this.#host.now(), ...query }, ({ clients }) => {
      // Meanwhile it may have had its turn, or others may have taken all the places.
      if (queues.first(user) !== first || first.state !== 'kept.waiting' || this.#mustBePatient(user)) return;
      if (takesMessages(clients, service)) this.#host.turnCame(first);
    });
  }

  /** A place is free: the one who has waited longest takes it, or the next, where that one has nothing any more. */
  seePatient(): void {
    // A delivery that fails at once frees its place while this goes on: the loop finds the next.
    if (this.#seeing) return;
    this.#seeing = true;
    for (const user of this.#patient) {
      if (this.#isFull()) break;
      this.#patient.delete(user);
      this.see(user);
    }
    this.#seeing = false;
  }

  #isFull(): boolean {
    return this.#delivering.size >= this.#host.atOnce();
  }

  #mustBePatient(user: string): boolean {
    if (!this.#isFull()) return false;
    this.#patient.add(user);
    return true;
  }
}
