/** Who is registered, with which clients (digest 3.5). Bounded; what expires is forgotten by itself. */
import type { RegisteredClient } from '../../machines/session/policy.ts';
import { identityKey } from '../sip/message/uri.ts';
import type { Clock, Timer, TimerOwner } from '../time/clock.ts';

export interface Registration {
  /** Every address of the user that was registered together. */
  readonly addresses: readonly string[];
  readonly clients: readonly RegisteredClient[];
  readonly expiresSeconds: number;
}

export interface RegistrationsOptions {
  readonly clock: Clock;
  /** Users held at the most; further ones are refused. */
  readonly maxUsers: number;
}

class Entry implements TimerOwner {
  readonly keys: readonly string[];
  readonly clients: readonly RegisteredClient[];
  readonly #forget: (entry: Entry) => void;
  timer: Timer | undefined;

  constructor(keys: readonly string[], clients: readonly RegisteredClient[], forget: (entry: Entry) => void) {
    this.keys = keys;
    this.clients = clients;
    this.#forget = forget;
  }

  onTimer(): void {
    this.#forget(this);
  }
}

export class Registrations {
  readonly #options: RegistrationsOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: RegistrationsOptions) {
    this.#options = options;
  }

  /** Addresses registered. */
  get size(): number {
    return this.#entries.size;
  }

  /** Takes a registration in place of the one before; zero seconds ends it. False where there is no room. */
  register(registration: Registration): boolean {
    const keys = [...new Set(registration.addresses.map(identityKey))];
    for (const key of keys) {
      const before = this.#entries.get(key);
      if (before !== undefined) this.#forget(before);
    }
    if (registration.expiresSeconds === 0) return true;
    if (this.#entries.size + keys.length > this.#options.maxUsers) return false;
    const entry = new Entry(keys, registration.clients, (expired) => this.#forget(expired));
    entry.timer = this.#options.clock.schedule(registration.expiresSeconds * 1000, entry, 'registrationExpires');
    for (const key of keys) this.#entries.set(key, entry);
    return true;
  }

  /** Clients of a user; none where nothing is registered. */
  clientsOf(address: string): readonly RegisteredClient[] {
    return this.#entries.get(identityKey(address))?.clients ?? [];
  }

  #forget(entry: Entry): void {
    entry.timer?.cancel();
    for (const key of entry.keys) if (this.#entries.get(key) === entry) this.#entries.delete(key);
  }
}
