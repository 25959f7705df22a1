/** Locating SIP servers (RFC 3263): from a URI to the addresses to try, best first. */
import type { Target, TransportName } from '../flow.ts';
import { isSipUri, parseUri, type SipUri, uriParam } from '../message/uri.ts';
import type { Resolver, Srv } from '../network.ts';

export interface LocateOptions {
  readonly resolver: Resolver;
  /** Transports that can be used, in order of our own preference. */
  readonly transports: readonly TransportName[];
  /** From 0 to below 1, for weights among equal priorities (RFC 2782). */
  readonly random: () => number;
}

const IPV4 = /^\d{1,3}(\.\d{1,3}){3}$/;
/** Names tried for one URI at the most, so that a hostile zone cannot hold a request up. */
const MAX_TARGETS = 16;

const SERVICES: Readonly<Record<string, TransportName>> = {
  'SIP+D2U': 'UDP',
  'SIP+D2T': 'TCP',
  'SIPS+D2T': 'TLS',
  'SIP+D2W': 'WS',
  'SIPS+D2W': 'WSS',
};

const SRV_PREFIX: Readonly<Record<TransportName, string>> = {
  UDP: '_sip._udp.',
  TCP: '_sip._tcp.',
  TLS: '_sips._tcp.',
  WS: '_sip._ws.',
  WSS: '_sips._ws.',
};

/**
 * Finds where a URI leads. `done` may be called before `locate` returns, and always is for an address that needs
 * no look-up. An empty list means that nothing can be reached by it.
 */
export function locate(uriText: string, options: LocateOptions, done: (targets: readonly Target[]) => void): void {
  const uri = parseUri(uriText);
  if (uri === undefined || !isSipUri(uri)) {
    done([]);
    return;
  }
  const host = uriParam(uri, 'maddr') || uri.host;
  const address = literalAddress(host);
  const transport = transportOf(uri);
  if (address !== undefined) {
    const chosen = transport ?? (uri.scheme === 'sips' ? 'TLS' : 'UDP');
    done([{ transport: chosen, address, port: uri.port ?? defaultPortOf(chosen) }]);
  } else if (uri.port !== undefined) {
    const chosen = transport ?? (uri.scheme === 'sips' ? 'TLS' : 'UDP');
    byAddress(host, uri.port, chosen, options, done);
  } else if (transport !== undefined) bySrv(host, [transport], options, done);
  else byNaptr(host, uri.scheme === 'sips', options, done);
}

/** The bare address of an IP literal, without an IPv6 literal's brackets; undefined for a name. */
export function literalAddress(host: string): string | undefined {
  if (IPV4.test(host)) return host;
  return host.startsWith('[') ? host.slice(1, -1) : undefined;
}

function transportOf(uri: SipUri): TransportName | undefined {
  const named = uriParam(uri, 'transport')?.toUpperCase();
  const secure = uri.scheme === 'sips';
  switch (named) {
    case 'UDP':
    case 'TLS':
    case 'WSS':
      return named;
    case 'TCP':
      return secure ? 'TLS' : 'TCP';
    case 'WS':
      return secure ? 'WSS' : 'WS';
    default:
      return undefined;
  }
}

export function defaultPortOf(transport: TransportName): number {
  return { UDP: 5060, TCP: 5060, TLS: 5061, WS: 80, WSS: 443 }[transport];
}

// RFC 3263 4.1: NAPTR first; without it, SRV for each transport we speak; without that, the plain address.
function byNaptr(
  host: string,
  secure: boolean,
  options: LocateOptions,
  done: (targets: readonly Target[]) => void,
): void {
  options.resolver.naptr(host, (records) => {
    const usable = records
      .filter((record) => {
        const transport = SERVICES[record.service];
        return transport !== undefined && options.transports.includes(transport) && (!secure || transport !== 'UDP');
      })
      .sort((a, b) => a.order - b.order || a.preference - b.preference);
    if (usable.length === 0) {
      const spoken = secure ? options.transports.filter((name) => name === 'TLS') : plainTransports(options);
      bySrv(host, spoken, options, done);
      return;
    }
    collect(
      usable,
      (record, add) => srvTargets(record.replacement, SERVICES[record.service] as TransportName, options, add),
      done,
    );
  });
}

function plainTransports(options: LocateOptions): TransportName[] {
  return options.transports.filter((name) => name === 'UDP' || name === 'TCP');
}

// RFC 3263 4.2
function bySrv(
  host: string,
  transports: readonly TransportName[],
  options: LocateOptions,
  done: (targets: readonly Target[]) => void,
): void {
  collect(
    transports,
    (transport, add) => srvTargets(SRV_PREFIX[transport] + host, transport, options, add),
    (targets) => {
      const fallback = transports[0];
      if (targets.length > 0 || fallback === undefined) done(targets);
      else byAddress(host, defaultPortOf(fallback), fallback, options, done);
    },
  );
}

function srvTargets(
  name: string,
  transport: TransportName,
  options: LocateOptions,
  done: (targets: readonly Target[]) => void,
): void {
  options.resolver.srv(name, (records) => {
    const ordered = orderSrv(records, options.random).slice(0, MAX_TARGETS);
    collect(ordered, (record, add) => byAddress(record.host, record.port, transport, options, add), done);
  });
}

function byAddress(
  host: string,
  port: number,
  transport: TransportName,
  options: LocateOptions,
  done: (targets: readonly Target[]) => void,
): void {
  options.resolver.addresses(host, (addresses) => {
    done(addresses.map((address) => ({ transport, address, port, serverName: host })));
  });
}

/** Looks up each item in turn and gives all that was found, in the order of the items. */
function collect<T>(
  items: readonly T[],
  lookUp: (item: T, add: (targets: readonly Target[]) => void) => void,
  done: (targets: readonly Target[]) => void,
): void {
  const found: (readonly Target[])[] = [];
  let open = items.length;
  if (open === 0) done([]);
  items.forEach((item, at) => {
    lookUp(item, (targets) => {
      found[at] = targets;
      open--;
      if (open === 0) done(found.flat().slice(0, MAX_TARGETS));
    });
  });
}

/** RFC 2782: by priority; among equals, drawn by weight. */
export function orderSrv(records: readonly Srv[], random: () => number): Srv[] {
  const ordered: Srv[] = [];
  const waiting = [...records].sort((a, b) => a.priority - b.priority || a.weight - b.weight);
  while (waiting.length > 0) {
    const priority = (waiting[0] as Srv).priority;
    const equals = waiting.filter((record) => record.priority === priority);
    const total = equals.reduce((sum, record) => sum + record.weight, 0);
    let draw = random() * (total + 1);
    const drawn = equals.find((record) => {
      draw -= record.weight;
      return draw <= 0;
    });
    const next = drawn ?? (equals[equals.length - 1] as Srv);
    waiting.splice(waiting.indexOf(next), 1);
    ordered.push(next);
  }
  return ordered;
}
