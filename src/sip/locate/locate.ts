/** Locating SIP servers (RFC 3263): from a URI to the addresses to try, best first. */
import type { Target, TransportName } from '../flow.ts';
import { DIGITS, runEnd } from '../message/bytes.ts';
import { isSipUri, parseUri, type SipUri, uriParam } from '../message/uri.ts';
import type { Naptr, Resolver } from '../network.ts';
import { orderSrv } from './srv-order.ts';

export { orderSrv } from './srv-order.ts';

export interface LocateOptions {
  readonly resolver: Resolver;
  /** True for a transport that can be used. */
  readonly speaks: (transport: TransportName) => boolean;
  /** From 0 to below 1, for weights among equal priorities (RFC 2782). */
  readonly random: () => number;
}

/** Addresses found for one URI at the most; a request that fails at this many has failed. */
const MAX_TARGETS = 16;
/** Names looked up for one URI at the most, so that a hostile zone can't make us ask without end. */
const MAX_LOOK_UPS = 32;

/** Transports that can be dialled. A WebSocket client comes to us by itself and is in no zone. */
type Dialled = 'UDP' | 'TCP' | 'TLS';

const SERVICES: Readonly<Record<string, Dialled>> = { 'SIP+D2U': 'UDP', 'SIP+D2T': 'TCP', 'SIPS+D2T': 'TLS' };
const SRV_PREFIX: Readonly<Record<Dialled, string>> = { UDP: '_sip._udp.', TCP: '_sip._tcp.', TLS: '_sips._tcp.' };

type Found = (targets: readonly Target[]) => void;

/**
 * Finds where a URI leads. `done` may be called before `locate` returns, and always is for an address that needs
 * no look-up. An empty list means that nothing can be reached by it.
 */
export function locate(uriText: string, options: LocateOptions, done: Found): void {
  const uri = parseUri(uriText);
  const transport = uri === undefined || !isSipUri(uri) ? 'none' : transportOf(uri);
  if (uri === undefined || !isSipUri(uri) || transport === 'none') {
    done([]);
    return;
  }
  const host = uriParam(uri, 'maddr') || uri.host;
  const address = literalAddress(host);
  if (transport === 'WS' || transport === 'WSS') {
    // RFC 7118 B.1: the host of a WebSocket client is a name that only its connection is known by.
    done([{ transport, address: address ?? host, port: uri.port ?? defaultPortOf(transport) }]);
  } else if (address !== undefined) {
    const chosen = transport ?? usualTransport(uri, options);
    const port = uri.port ?? defaultPortOf(chosen);
    // A certificate has to prove the URI's own host, also where maddr says at which address it is.
    const named = host !== uri.host && literalAddress(uri.host) === undefined;
    done([named ? { transport: chosen, address, port, serverName: uri.host } : { transport: chosen, address, port }]);
  } else {
    const search = new Search(host, uri.scheme === 'sips', options, done);
    if (uri.port !== undefined) search.byAddress(host, uri.port, transport ?? usualTransport(uri, options));
    else if (transport !== undefined) search.bySrv([transport]);
    else search.byNaptr();
  }
}

/** The bare address of an IP literal, without an IPv6 literal's brackets; undefined for a name. */
export function literalAddress(host: string): string | undefined {
  if (isIPv4(host)) return host;
  return host.startsWith('[') ? host.slice(1, -1) : undefined;
}

/** Four numbers with dots between them. */
function isIPv4(host: string): boolean {
  let parts = 0;
  for (let at = 0; at <= host.length; ) {
    const end = runEnd(host, at, DIGITS);
    if (end === at || end > at + 3 || (end < host.length && host.charCodeAt(end) !== 0x2e)) return false;
    parts++;
    at = end + 1;
  }
  return parts === 4;
}

/** What the URI asks for; undefined where it leaves the choice, 'none' where it asks for what can't be. */
function transportOf(uri: SipUri): TransportName | 'none' | undefined {
  const named = uriParam(uri, 'transport')?.toUpperCase();
  const secure = uri.scheme === 'sips';
  switch (named) {
    case undefined:
    case '':
      return undefined;
    case 'TLS':
    case 'WSS':
      return named;
    case 'UDP':
      // RFC 3261 26.2.2: sips asks for TLS on each hop, and there is none over datagrams.
      return secure ? 'none' : 'UDP';
    case 'TCP':
      return secure ? 'TLS' : 'TCP';
    case 'WS':
      return secure ? 'WSS' : 'WS';
    default:
      // RFC 3263 4.1: the transport a URI names is the one to use, so one that we do not have leads nowhere.
      return 'none';
  }
}

/** RFC 3263 4.1: UDP for an address or a port, TLS for sips; TCP where that is all we speak. */
function usualTransport(uri: SipUri, { speaks }: LocateOptions): Dialled {
  if (uri.scheme === 'sips') return 'TLS';
  return speaks('TCP') && !speaks('UDP') ? 'TCP' : 'UDP';
}

export function defaultPortOf(transport: TransportName): number {
  return { UDP: 5060, TCP: 5060, TLS: 5061, WS: 80, WSS: 443 }[transport];
}

/** The look-ups for one name. */
class Search {
  readonly #host: string;
  readonly #secure: boolean;
  readonly #options: LocateOptions;
  readonly #done: Found;
  #lookUps = 0;

  constructor(host: string, secure: boolean, options: LocateOptions, done: Found) {
    this.#host = host;
    this.#secure = secure;
    this.#options = options;
    this.#done = done;
  }

  /** RFC 3263 4.1: NAPTR first; without it, SRV for each transport we speak. */
  byNaptr(): void {
    this.#lookUps++;
    this.#options.resolver.naptr(this.#host, (records) => {
      const usable = records
        .filter(({ service }) => {
          const transport = SERVICES[service];
          // For sips only those services count that promise TLS.
          return transport !== undefined && this.#speaks(transport) && (!this.#secure || service.startsWith('SIPS'));
        })
        .sort((a, b) => a.order - b.order || a.preference - b.preference);
      if (usable.length === 0) {
        this.bySrv(
          (this.#secure ? (['TLS'] as const) : (['UDP', 'TCP'] as const)).filter((name) => this.#speaks(name)),
        );
        return;
      }
      collect<Naptr, readonly Target[] | undefined>(
        usable,
        ({ replacement, service }, add) => this.#srv(replacement, SERVICES[service] as Dialled, add),
        (found) => this.#finish(found.flatMap((targets) => targets ?? [])),
      );
    });
  }

  #speaks(transport: Dialled): boolean {
    return this.#options.speaks(transport);
  }

  /** RFC 3263 4.2: without an SRV record for any of the transports, the name's own address. */
  bySrv(transports: readonly Dialled[]): void {
    collect<Dialled, readonly Target[] | undefined>(
      transports,
      (transport, add) => this.#srv(SRV_PREFIX[transport] + this.#host, transport, add),
      (found) => {
        const fallback = transports[0];
        const none = found.every((targets) => targets === undefined);
        if (none && fallback !== undefined) this.byAddress(this.#host, defaultPortOf(fallback), fallback);
        else this.#finish(found.flatMap((targets) => targets ?? []));
      },
    );
  }

  byAddress(host: string, port: number, transport: TransportName): void {
    this.#addresses(host, port, transport, (targets) => this.#finish(targets));
  }

  #finish(targets: readonly Target[]): void {
    this.#done(targets.slice(0, MAX_TARGETS));
  }

  /** The targets an SRV name leads to; undefined where it has no records. */
  #srv(name: string, transport: Dialled, done: (targets: readonly Target[] | undefined) => void): void {
    if (++this.#lookUps > MAX_LOOK_UPS) {
      done([]);
      return;
    }
    this.#options.resolver.srv(name, (records) => {
      if (records.length === 0) {
        done(undefined);
        return;
      }
      // RFC 2782: a dot for a host says that the service is decidedly not there.
      const offered = records.filter(({ host }) => host !== '' && host !== '.');
      collect(
        orderSrv(offered, this.#options.random, MAX_TARGETS),
        ({ host, port }, add: Found) => this.#addresses(host, port, transport, add),
        (found) => done(found.flat()),
      );
    });
  }

  #addresses(host: string, port: number, transport: TransportName, done: Found): void {
    if (++this.#lookUps > MAX_LOOK_UPS) {
      done([]);
      return;
    }
    // RFC 5922 7.3: a certificate proves the domain of the URI. What SRV made of it, anybody could have forged.
    const serverName = this.#host;
    this.#options.resolver.addresses(host, (addresses) => {
      done(addresses.slice(0, MAX_TARGETS).map((address) => ({ transport, address, port, serverName })));
    });
  }
}

/** Looks each item up and gives what was found, in the order of the items. */
function collect<T, R>(
  items: readonly T[],
  lookUp: (item: T, add: (result: R) => void) => void,
  done: (results: readonly R[]) => void,
): void {
  const results: R[] = [];
  let open = items.length;
  if (open === 0) done([]);
  items.forEach((item, at) => {
    lookUp(item, (result) => {
      results[at] = result;
      open--;
      if (open === 0) done(results);
    });
  });
}
