/**
 * Who is registered, by subscription to the `reg` event of the core (RFC 3680, TS 24.229 5.7.1.1). A user is watched from
 * the first call for the user on; until the core has told, nobody knows, which is not the same as nobody being there.
 */
import type { RegisteredClient } from '../../machines/session/policy.ts';
import { identityKey } from '../sip/message/uri.ts';
import type { SubscriptionOptions, SubscriptionUser } from '../sip/user-agent/subscription.ts';
import type { Clock, Timer } from '../time/clock.ts';
import { RegInfo } from './reginfo.ts';
import type { Registrations } from './registrations.ts';

/** What of a SIP stack it takes. */
export interface Subscriber {
  subscribe(options: SubscriptionOptions, user: SubscriptionUser): { subscribe(): void };
  unsubscribe(id: string): void;
}

export interface RegEventOptions {
  readonly clock: Clock;
  readonly sip: Subscriber;
  readonly token: () => string;
  readonly registrations: Registrations;
  /** Our own address, in From and P-Asserted-Identity. */
  readonly from: string;
  readonly contact: string;
  /** Route of the core; none means by the user's address. */
  readonly routes: readonly string[];
  readonly expiresSeconds: number;
  readonly maxUsers: number;
  /** Subscriptions that wait for their first NOTIFY at a time. */
  readonly atOnce: number;
}

interface Watch {
  readonly user: string;
  readonly id: string;
  info: RegInfo;
  /** The core has told since we began to ask. */
  told: boolean;
  /** Ends its turn where the first NOTIFY does not come (RFC 6665 4.1.2.4, timer N). */
  turn: Timer | undefined;
  /** The whole state was asked for, and has not come. */
  asking: boolean;
  subscription: { subscribe(): void } | undefined;
  retry: Timer | undefined;
}

/** 64*T1. */
const TURN_MS = 32_000;

export class RegEvents {
  readonly counters = { notified: 0, lost: 0, malformed: 0, ended: 0 };
  readonly #options: RegEventOptions;
  readonly #watches = new Map<string, Watch>();
  readonly #waiting: Watch[] = [];
  #beginning = 0;

  constructor(options: RegEventOptions) {
    this.#options = options;
  }

  /** Watches again whom a restart has left registered. */
  resume(): void {
    for (const user of [...this.#options.registrations.users()]) this.watch(user);
  }

  /** Users watched. */
  get size(): number {
    return this.#watches.size;
  }

  /** Begins to watch a user, if that is not done yet and there is room. */
  watch(address: string): void {
    const user = identityKey(address);
    if (this.#watches.has(user) || this.#watches.size >= this.#options.maxUsers) return;
    const watch = this.#watchOf(user);
    this.#watches.set(user, watch);
    this.#waiting.push(watch);
    this.#next();
  }

  /** Clients of a user; `unknown` until the core has told. What was kept over a restart counts meanwhile. */
  clientsOf(address: string): readonly RegisteredClient[] | 'unknown' {
    this.watch(address);
    const { registrations } = this.#options;
    if (registrations.has(address)) return registrations.clientsOf(address);
    return this.#watches.get(identityKey(address))?.told === true ? [] : 'unknown';
  }

  /** Lets go of every subscription. */
  close(): void {
    for (const { id, retry, turn } of this.#watches.values()) {
      retry?.cancel();
      turn?.cancel();
      this.#options.sip.unsubscribe(id);
    }
    this.#watches.clear();
    this.#waiting.length = 0;
  }

  #next(): void {
    while (this.#beginning < this.#options.atOnce) {
      const watch = this.#waiting.shift();
      if (watch === undefined) return;
      this.#beginning++;
      watch.turn = this.#options.clock.schedule(TURN_MS, { onTimer: () => this.#begun(watch) }, 'timerN');
      this.#subscribe(watch);
    }
  }

  #subscribe(watch: Watch): void {
    const { sip, from, contact, routes, expiresSeconds } = this.#options;
    const { id, user: uri } = watch;
    watch.info = new RegInfo();
    watch.subscription = sip.subscribe(
      { id, uri, from, contact, routes, expiresSeconds, event: 'reg', accept: 'application/reginfo+xml' },
      {
        onNotify: (body) => this.#notified(watch, body),
        onEnd: (_why, retryAfter) => this.#ended(watch, retryAfter),
      },
    );
  }

  #notified(watch: Watch, body: Uint8Array): boolean {
    try {
      const applied = watch.info.apply(new TextDecoder('utf-8', { fatal: true }).decode(body));
      if (applied === 'applied') this.#take(watch);
      else if (applied === 'gap' && !watch.asking) {
        // RFC 3680 5.1: something was lost on the way; a SUBSCRIBE brings the whole state.
        this.counters.lost++;
        watch.asking = true;
        watch.info = new RegInfo();
        watch.subscription?.subscribe();
      }
      return true;
    } catch {
      this.counters.malformed++;
      return false;
    }
  }

  #take(watch: Watch): void {
    const { registrations, expiresSeconds } = this.#options;
    const { addresses, clients, lifetimes } = watch.info.state;
    const longest = Math.max(0, ...lifetimes.map((seconds) => seconds ?? expiresSeconds));
    this.counters.notified++;
    watch.told = true;
    watch.asking = false;
    registrations.register({ addresses: [watch.user, ...addresses], clients, lifetimes, expiresSeconds: longest });
    this.#begun(watch);
  }

  /** Its turn is over, well or ill. */
  #begun(watch: Watch): void {
    if (watch.turn === undefined) return;
    watch.turn.cancel();
    watch.turn = undefined;
    this.#beginning--;
    this.#next();
  }

  #ended(watch: Watch, retryAfter: number | null): void {
    const { clock, sip } = this.#options;
    this.counters.ended++;
    watch.told = false;
    sip.unsubscribe(watch.id);
    this.#watches.delete(watch.user);
    if (retryAfter !== null) {
      // RFC 6665 4.4.1: another subscription is another dialog.
      const next = this.#watchOf(watch.user);
      this.#watches.set(watch.user, next);
      const again = { onTimer: () => this.#again(next) };
      next.retry = clock.schedule(Math.max(1, retryAfter) * 1000, again, 'subscribeAgain');
    }
    this.#begun(watch);
  }

  #watchOf(user: string): Watch {
    const id = this.#options.token();
    const nothing = { told: false, asking: false, turn: undefined, subscription: undefined, retry: undefined };
    return { user, id, info: new RegInfo(), ...nothing };
  }

  #again(watch: Watch): void {
    watch.retry = undefined;
    this.#waiting.push(watch);
    this.#next();
  }
}
