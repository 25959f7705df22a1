/** Names to addresses over the system's DNS servers, kept for as long as they are good. */
import { Resolver as DnsResolver, lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Naptr, Resolver, Srv } from '../sip/network.ts';
import { steadyNow } from './node-clock.ts';

/** The part of `node:dns/promises` that is used; tests give one of their own. */
export interface Dns {
  resolveNaptr(domain: string): Promise<
    readonly {
      readonly flags: string;
      readonly service: string;
      readonly replacement: string;
      readonly order: number;
      readonly preference: number;
    }[]
  >;
  resolveSrv(
    name: string,
  ): Promise<
    readonly { readonly name: string; readonly port: number; readonly priority: number; readonly weight: number }[]
  >;
  resolve4(
    host: string,
    options: { ttl: true },
  ): Promise<readonly { readonly address: string; readonly ttl: number }[]>;
  resolve6(
    host: string,
    options: { ttl: true },
  ): Promise<readonly { readonly address: string; readonly ttl: number }[]>;
  /** What the operating system knows, the hosts file included. */
  lookup(host: string, options: { all: true }): Promise<readonly { readonly address: string }[]>;
}

export interface NodeResolverOptions {
  readonly dns?: Dns;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Milliseconds one look-up may take; then the answer is that nothing was found. */
  readonly limitMs?: number;
}

/** Names remembered, each kind of record by itself; a Participating Function talks to a few dozen. */
const MAX_NAMES = 4_096;
/** Records kept of one answer; a zone that gives more gains nothing by it. */
const MAX_RECORDS = 64;
/** Node does not tell the TTL of SRV and NAPTR records, nor of what the operating system says. */
const UNTOLD_TTL_MS = 30_000;
/** RFC 2308 5 lets a resolver choose; short, since it holds up whatever waits for a name that has just been made. */
const NEGATIVE_TTL_MS = 5_000;
/** A TTL of 0 would ask for each message, one of days would keep a host that has moved. */
const MIN_TTL_MS = 1_000;
const MAX_TTL_MS = 3_600_000;
/** Two tries at a DNS server; a caller that waits longer has mostly hung up. */
const LIMIT_MS = 3_000;
/** Names looked up at a time; beyond that somebody makes us ask for nonsense. */
const MAX_WAITING = 1_024;

export function nodeResolver(options: NodeResolverOptions = {}): Resolver {
  return new NodeResolver(options);
}

/** What a look-up found and for how many milliseconds it is good. */
interface Finding<T> {
  readonly found: readonly T[];
  readonly ttlMs: number;
}

class NodeResolver implements Resolver {
  readonly #dns: Dns;
  readonly #limitMs: number;
  readonly #naptr: Names<Naptr>;
  readonly #srv: Names<Srv>;
  readonly #addresses: Names<string>;

  constructor(options: NodeResolverOptions) {
    this.#dns = options.dns ?? systemDns();
    this.#limitMs = options.limitMs ?? LIMIT_MS;
    const now = options.now ?? steadyNow;
    this.#naptr = new Names(now, this.#limitMs, (domain) => this.#findNaptr(domain));
    this.#srv = new Names(now, this.#limitMs, (name) => this.#findSrv(name));
    // The operating system is asked once the DNS servers have had their time, and has the same again.
    this.#addresses = new Names(now, this.#limitMs * 2, (host) => this.#findAddresses(host));
  }

  naptr(domain: string, done: (records: readonly Naptr[]) => void): void {
    this.#naptr.find(domain, done);
  }

  srv(name: string, done: (records: readonly Srv[]) => void): void {
    this.#srv.find(name, done);
  }

  addresses(host: string, done: (addresses: readonly string[]) => void): void {
    if (isIP(host) !== 0) done([host]);
    else this.#addresses.find(host, done);
  }

  async #findNaptr(domain: string): Promise<Finding<Naptr>> {
    const records = await this.#dns.resolveNaptr(domain);
    const found = records
      // RFC 3263 4.1: the flag `s` leads to an SRV record; other rules are not for SIP servers.
      .filter(({ flags }) => flags.toLowerCase() === 's')
      .slice(0, MAX_RECORDS)
      .map(({ order, preference, service, replacement }) => ({
        order,
        preference,
        service: service.toUpperCase(),
        replacement,
      }));
    return { found, ttlMs: UNTOLD_TTL_MS };
  }

  async #findSrv(name: string): Promise<Finding<Srv>> {
    const records = await this.#dns.resolveSrv(name);
    const found = records
      .slice(0, MAX_RECORDS)
      .map(({ name: host, port, priority, weight }) => ({ host, port, priority, weight }));
    return { found, ttlMs: UNTOLD_TTL_MS };
  }

  async #findAddresses(host: string): Promise<Finding<string>> {
    // A name without a dot is of this host or its network; DNS servers would be asked in vain.
    const records = host.includes('.') ? await within(this.#limitMs, this.#records(host)) : [];
    if (records.length > 0) {
      const found = records.slice(0, MAX_RECORDS).map(({ address }) => address);
      return { found, ttlMs: 1000 * Math.min(...records.map(({ ttl }) => ttl)) };
    }
    const local = await this.#dns.lookup(host, { all: true });
    return { found: local.slice(0, MAX_RECORDS).map(({ address }) => address), ttlMs: UNTOLD_TTL_MS };
  }

  async #records(host: string) {
    const [four, six] = await Promise.allSettled([
      this.#dns.resolve4(host, { ttl: true }),
      this.#dns.resolve6(host, { ttl: true }),
    ]);
    return [...(four.status === 'fulfilled' ? four.value : []), ...(six.status === 'fulfilled' ? six.value : [])];
  }
}

/** The value, or an empty list once the time is over. */
async function within<T>(ms: number, value: Promise<readonly T[]>): Promise<readonly T[]> {
  let limit: NodeJS.Timeout | undefined;
  const over = new Promise<readonly T[]>((resolve) => {
    limit = setTimeout(() => resolve([]), ms);
  });
  try {
    return await Promise.race([value, over]);
  } finally {
    clearTimeout(limit);
  }
}

function systemDns(): Dns {
  const resolver = new DnsResolver({ timeout: LIMIT_MS / 2, tries: 2 });
  return {
    resolveNaptr: (domain) => resolver.resolveNaptr(domain),
    resolveSrv: (name) => resolver.resolveSrv(name),
    resolve4: (host, options) => resolver.resolve4(host, options),
    resolve6: (host, options) => resolver.resolve6(host, options),
    lookup: (host, options) => lookup(host, options),
  };
}

interface Known<T> {
  readonly found: readonly T[];
  /** Milliseconds since the epoch. */
  readonly until: number;
}

/** Answers of one kind, by name: those that are known, and whoever waits for those that are not. */
class Names<T> {
  /** The one used longest ago comes first. */
  readonly #known = new Map<string, Known<T>>();
  readonly #waiting = new Map<string, ((found: readonly T[]) => void)[]>();
  readonly #now: () => number;
  readonly #limitMs: number;
  readonly #lookUp: (name: string) => Promise<Finding<T>>;

  constructor(now: () => number, limitMs: number, lookUp: (name: string) => Promise<Finding<T>>) {
    this.#now = now;
    this.#limitMs = limitMs;
    this.#lookUp = lookUp;
  }

  /** At once where the answer is known; else later, and one question for all who ask meanwhile. */
  find(spelled: string, done: (found: readonly T[]) => void): void {
    const name = spelled.toLowerCase();
    const known = this.#known.get(name);
    if (known !== undefined && known.until > this.#now()) {
      this.#known.delete(name);
      this.#known.set(name, known);
      done(known.found);
      return;
    }
    const waiting = this.#waiting.get(name);
    if (waiting !== undefined) {
      waiting.push(done);
      return;
    }
    if (this.#waiting.size >= MAX_WAITING) {
      done([]);
      return;
    }
    this.#waiting.set(name, [done]);
    this.#ask(name);
  }

  #ask(name: string): void {
    // A dead DNS server is not asked again for each message, hence the negative answer on failure too.
    const limit = setTimeout(() => this.#answer(name, [], NEGATIVE_TTL_MS), this.#limitMs);
    this.#lookUp(name).then(
      ({ found, ttlMs }) => {
        clearTimeout(limit);
        // Also where it comes too late for those who waited: the next one to ask has it.
        this.#answer(name, found, found.length === 0 ? NEGATIVE_TTL_MS : ttlMs);
      },
      () => {
        clearTimeout(limit);
        this.#answer(name, [], NEGATIVE_TTL_MS);
      },
    );
  }

  #answer(name: string, found: readonly T[], ttlMs: number): void {
    const goodFor = Math.min(Math.max(ttlMs, MIN_TTL_MS), MAX_TTL_MS);
    this.#known.delete(name);
    this.#known.set(name, { found, until: this.#now() + goodFor });
    if (this.#known.size > MAX_NAMES) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    const waiting = this.#waiting.get(name) ?? [];
    this.#waiting.delete(name);
    for (const done of waiting) done(found);
  }
}
