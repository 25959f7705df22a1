/** Who is registered, with which clients (digest 3.5). Bounded; what expires is forgotten by itself. */
import type { RegisteredClient } from '../../machines/session/policy.ts';
import { identityKey } from '../sip/message/uri.ts';
import type { Clock, Timer, TimerOwner } from '../time/clock.ts';

export interface Registration {
  /** Every address of the user that was registered together. */
  readonly addresses: readonly string[];
  readonly clients: readonly RegisteredClient[];
  readonly expiresSeconds: number;
  /** Seconds each client stays; null is as long as the whole, 0 is gone. Absent: all as long as the whole. */
  readonly lifetimes?: readonly (number | null)[];
  /** True: clients it does not name stay as they were. */
  readonly partial?: boolean;
}

/** A registration as it is kept over a restart: JSON. */
export interface KeptRegistration {
  readonly keys: readonly string[];
  readonly clients: readonly RegisteredClient[];
  /** ms since the epoch. */
  readonly until: number;
  /** When each client goes, where one goes before the others, ms since the epoch. */
  readonly untils?: readonly number[];
}

/** Where registrations survive a restart. The core says them again only after hours. */
export interface RegistrationKeeper {
  keep(id: string, registration: KeptRegistration): void;
  forget(id: string): void;
  /** One after the other, so that they are never all held twice. */
  kept(): Iterable<KeptRegistration>;
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
  /** Told of each user who has registered, also of one who was registered already: its addresses. */
  onRegistered: (addresses: readonly string[]) => void = () => {};
  readonly #options: RegistrationsOptions;
  readonly #entries = new Map<string, Entry>();

  /** Takes up what was kept; what has expired meanwhile is forgotten. */
  constructor(options: RegistrationsOptions) {
    this.#options = options;
    const now = options.clock.now();
    const over: string[] = [];
    for (const kept of options.keeper?.kept() ?? []) {
      if (kept.until > now) this.#enter(kept);
      else over.push(kept.keys[0] ?? '');
    }
    for (const id of over) options.keeper?.forget(id);
  }

  /** Addresses registered. */
  get size(): number {
    return this.#entries.size;
  }

  /** Takes a registration in place of the one before; zero seconds ends it. False where there is no room. */
  register(registration: Registration): boolean {
    const { clock, maxUsers, keeper } = this.#options;
    const keys = [...new Set(registration.addresses.map(identityKey))];
    const now = clock.now();
    const present = presentAt(now, registration, this.#entries.get(keys[0] ?? '')?.kept);
    for (const key of keys) {
      const before = this.#entries.get(key);
      if (before !== undefined) this.#forget(before);
    }
    if (registration.expiresSeconds === 0) return true;
    if (this.#entries.size + keys.length > maxUsers) return false;
    const entry = this.#enter({ keys, ...present });
    keeper?.keep(entry.id, entry.kept);
    this.onRegistered(registration.addresses);
    return true;
  }

  /** True while the user is registered, be it with clients that can do nothing. */
  has(address: string): boolean {
    return this.#entries.has(identityKey(address));
  }

  /** Clients of a user; none where nothing is registered. */
  clientsOf(address: string): readonly RegisteredClient[] {
    const kept = this.#entries.get(identityKey(address))?.kept;
    if (kept === undefined) return [];
    const { clients, untils } = kept;
    if (untils === undefined) return clients;
    const now = this.#options.clock.now();
    return untils.every((until) => until > now) ? clients : clients.filter((_, number) => (untils[number] ?? 0) > now);
  }

  /** The own address of each user, for a driver that has to ask after all of them again. */
  *users(): Iterable<string> {
    for (const [key, { id }] of this.#entries) if (key === id) yield id;
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

/** The clients there are from now on, and until when. */
function presentAt(
  now: number,
  registration: Registration,
  before: KeptRegistration | undefined,
): Omit<KeptRegistration, 'keys'> {
  const { clients, lifetimes, partial = false, expiresSeconds } = registration;
  const whole = now + expiresSeconds * 1000;
  const named = new Set(clients.map(({ instance }) => instance));
  const staying = partial && before !== undefined ? [...before.clients.entries()] : [];
  const all = [
    ...clients.map((client, number) => {
      const seconds = lifetimes?.[number] ?? null;
      return { client, until: seconds === null ? whole : Math.min(whole, now + seconds * 1000) };
    }),
    ...staying
      .filter(([, { instance }]) => !named.has(instance))
      .map(([number, client]) => ({ client, until: Math.min(whole, before?.untils?.[number] ?? whole) })),
  ].filter(({ until }) => until > now);
  const present = { clients: all.map(({ client }) => client), until: whole };
  return all.every(({ until }) => until === whole) ? present : { ...present, untils: all.map(({ until }) => until) };
}
