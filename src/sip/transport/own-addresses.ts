/** Every host and port by which peers may name us (RFC 3261 16.4, 18.1.2). */
import { SocketAddress } from 'node:net';
import { networkInterfaces } from 'node:os';
import { isLoopback, isWildcard } from './listener.ts';

/** Interfaces come and go; after a miss they are read again, but not more often than this. */
const REREAD_MS = 10_000;

const LOCAL_NAMES = ['localhost', 'localhost.localdomain', 'ip6-localhost'];

interface Place {
  readonly host: string;
  readonly port: number;
  /** Its transport is secured, so that its default port is 5061. */
  readonly secure: boolean;
}

export class OwnAddresses {
  readonly #now: () => number;
  readonly #interfaces: () => readonly string[];
  /** Ports of each host, in each of its spellings; undefined stands for a port that is left out. */
  readonly #known = new Map<string, Set<number | undefined>>();
  /** Places on every interface. */
  readonly #everywhere: Place[] = [];
  #readAt = 0;

  constructor(now: () => number, interfaces: () => readonly string[] = interfaceAddresses) {
    this.#now = now;
    this.#interfaces = interfaces;
  }

  /** A listening address, IPv6 without brackets. */
  listen(address: string, port: number, secure: boolean): void {
    this.#add({ host: address, port, secure });
    if (isWildcard(address)) {
      this.#everywhere.push({ host: address, port, secure });
      this.#readInterfaces();
    }
    if (isWildcard(address) || isLoopback(address)) {
      for (const host of LOCAL_NAMES) this.#add({ host, port, secure });
    }
  }

  /** What peers are told instead, `host:port` or `host`. */
  advertise(text: string, secure: boolean): void {
    const [, host = text, port] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(text) ?? [];
    this.#add({ host: plain(host), port: port === undefined ? defaultPort(secure) : Number(port), secure });
  }

  has(host: string, port: number | undefined): boolean {
    if (this.#knows(host, port)) return true;
    const usual = plain(host);
    if (usual !== host && this.#knows(usual, port)) return true;
    if (this.#everywhere.length === 0 || this.#now() - this.#readAt < REREAD_MS) return false;
    this.#readInterfaces();
    return this.#knows(usual, port);
  }

  #knows(host: string, port: number | undefined): boolean {
    return this.#known.get(host)?.has(port) === true;
  }

  /** An address that peers can reach, for a listener on all of them. */
  reachable(wildcard: string): string {
    const family = this.#interfaces().filter((address) => address.includes(':') === wildcard.includes(':'));
    return family.find((address) => !isLoopback(address)) ?? (wildcard.includes(':') ? '::1' : '127.0.0.1');
  }

  #readInterfaces(): void {
    this.#readAt = this.#now();
    const addresses = this.#interfaces();
    for (const { host, port, secure } of this.#everywhere) {
      const six = host.includes(':');
      for (const address of addresses) if (address.includes(':') === six) this.#add({ host: address, port, secure });
    }
  }

  #add({ host, port, secure }: Place): void {
    const usual = plain(host);
    for (const spelled of usual.includes(':') ? [usual, `[${usual}]`] : [usual]) {
      const ports = this.#known.get(spelled) ?? new Set();
      this.#known.set(spelled, ports.add(port));
      // RFC 3261 19.1.2: a port left out is 5060, or 5061 where TLS is spoken.
      if (port === 5060 || (secure && port === 5061)) ports.add(undefined);
    }
  }
}

function defaultPort(secure: boolean): number {
  return secure ? 5061 : 5060;
}

/** One spelling for all: lower case, no brackets, no dot at the end, IPv6 in its shortest form. */
function plain(host: string): string {
  const bare = host.replace(/^\[|\]$|\.$/g, '').toLowerCase();
  if (!bare.includes(':')) return bare;
  try {
    return new SocketAddress({ address: bare, family: 'ipv6' }).address;
  } catch {
    return bare;
  }
}

function interfaceAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((entries) => (entries ?? []).map(({ address }) => address));
}
