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

/** A registration as it is kept over a restart: JSON. */
export interface KeptRegistration {
  readonly keys: readonly string[];
  readonly clients: readonly RegisteredClient[];
  /** ms since the epoch. */
  readonly until: number;
}

/** Where registrations survive a restart. The core says them again only after hours. */
export interface RegistrationKeeper {
  keep(id: string, registration: KeptRegistration): void;
  forget(id: string): void;
  kept(): readonly KeptRegistration[];
}

export interface RegistrationsOptions {
  readonly clock: Clock;
  /** Users held at the most; further ones are refused. */
  readonly maxUsers: number;
  readonly keeper?: RegistrationKeeper;
}

class Entry implements TimerOwner {
  readonly kept: KeptRegistration;
  readonly #forget: (entry: Entry) => void;
  timer: Timer | undefined;

  constructor(kept: KeptRegistration, forget: (entry: Entry) => void) {
    this.kept = kept;
    this.#forget = forget;
  }

  get id(): string {
    return this.kept.keys[0] ?? '';
  }

  onTimer(): void {
    this.#forget(this);
  }
}

export class Registrations {
  readonly #options: RegistrationsOptions;
  readonly #entries = new Map<string, Entry>();

  /** Takes up what was kept; what has expired meanwhile is forgotten. */
  constructor(options: RegistrationsOptions) {
    this.#options = options;
    const now = options.clock.now();
    for (const kept of options.keeper?.kept() ?? []) {
      if (kept.until > now) this.#enter(kept);
      else options.keeper?.forget(kept.keys[0] ?? '');
    }
  }

  /** Addresses registered. */
  get size(): number {
    return this.#entries.size;
  }

  /** Takes a registration in place of the one before; zero seconds ends it. False where there is no room. */
  register(registration: Registration): boolean {
    const { clock, maxUsers, keeper } = this.#options;
    const keys = [...new Set(registration.addresses.map(identityKey))];
    for (const key of keys) {
      const before = this.#entries.get(key);
      if (before !== undefined) this.#forget(before);
    }
    if (registration.expiresSeconds === 0) return true;
    if (this.#entries.size + keys.length > maxUsers) return false;
    const until = clock.now() + registration.expiresSeconds * 1000;
    const entry = this.#enter({ keys, clients: registration.clients, until });
    keeper?.keep(entry.id, entry.kept);
    return true;
  }

  /** Clients of a user; none where nothing is registered. */
  clientsOf(address: string): readonly RegisteredClient[] {
    return this.#entries.get(identityKey(address))?.kept.clients ?? [];
  }

  #enter(kept: KeptRegistration): Entry {
    const { clock } = this.#options;
    const entry = new Entry(kept, (expired) => this.#forget(expired));
    entry.timer = clock.schedule(kept.until - clock.now(), entry, 'registrationExpires');
    for (const key of kept.keys) this.#entries.set(key, entry);
    return entry;
  }

  #forget(entry: Entry): void {
    entry.timer?.cancel();
    for (const key of entry.kept.keys) if (this.#entries.get(key) === entry) this.#entries.delete(key);
    this.#options.keeper?.forget(entry.id);
  }
}
