/**
 * `cpm-engine/sip`: the SIP stack on the sockets of a Node process. It owns transactions, dialogs and the mechanics of
 * proxying; what a call should do is decided by whoever listens, such as the engine of `cpm-engine`.
 *
 * @packageDocumentation
 */
import { NodeClock } from '../host/node-clock.ts';
import { nodeIdentifiers } from '../host/node-identifiers.ts';
import { nodeResolver } from '../host/node-resolver.ts';
import type { Clock } from '../time/clock.ts';
import { type TransportName, transportParam } from './flow.ts';
import { DEFAULT_LIMITS, type MessageLimits } from './message/parse.ts';
import type { Resolver } from './network.ts';
import { SipStack, type SipStackOptions } from './stack.ts';
import { DEFAULT_TIMERS, type TimerValues } from './transaction/timers.ts';
import {
  type ListenAddress,
  NodeNetwork,
  type TlsMaterial,
  type TransportCounters,
  type TransportLimits,
} from './transport/node-network.ts';

export type { CounterName } from './counters.ts';
export type { Flow, TransportName } from './flow.ts';
export { type NameAddress, parseNameAddress } from './message/address.ts';
export { bytesOfWire, textOfWire, wireOfBytes } from './message/bytes.ts';
export { type HeaderField, headerField } from './message/header.ts';
export { type AnyMessage, SipRequest, SipResponse } from './message/message.ts';
export { type MessageLimits, type Parsed, parseMessage } from './message/parse.ts';
export { serialize } from './message/serialize.ts';
export { isSipUri, parseUri } from './message/uri.ts';
export type { Resolver } from './network.ts';
export type {
  ExchangeId,
  FailureCause,
  LegId,
  OutgoingInvite,
  Payload,
  ProxyCommand,
  SipCommand,
  SipEvent,
  SipPort,
  Source,
} from './port.ts';
export type { TimerValues } from './transaction/timers.ts';
export type { ListenAddress, TlsMaterial, TransportCounters, TransportLimits } from './transport/node-network.ts';

export interface CreateSipStackOptions {
  /**
   * Where SIP is heard: `transport:address:port` with udp, tcp, tls, ws or wss, such as `udp:127.0.0.1:5060` or
   * `tcp:[::1]:5060`. Port 0 takes a free one. The first address of each transport stands in our Via, and the first of
   * all in our Contact.
   */
  readonly listen: readonly string[];
  /** `host:port` that peers are told instead of the listening address. */
  readonly advertise?: string;
  /** Certificate and key as PEM texts; needed for tls and wss. */
  readonly tls?: TlsMaterial;
  /** True for a peer whose P-Asserted-Identity and P-Served-User are believed (RFC 3325 5). By default nobody's. */
  readonly trusts?: (address: string) => boolean;
  /** Seconds a caller shall wait before trying again, or undefined where new calls are welcome. */
  readonly overload?: () => number | undefined;
  /** Milliseconds; what is not given is as in RFC 3261. */
  readonly timers?: Partial<TimerValues>;
  readonly limits?: { readonly messages?: Partial<MessageLimits>; readonly transports?: Partial<TransportLimits> };
  /** Names to addresses; by default over the DNS servers of the system. */
  readonly resolver?: Resolver;
  /** By default the real one. */
  readonly clock?: Clock;
}

/** The stack with its sockets. Give it to `createEngine({ sip })`, or listen to its events yourself. */
export class ListeningSipStack extends SipStack {
  readonly #network: NodeNetwork;
  readonly #ownClock: NodeClock | undefined;

  /** Use {@link createSipStack}. */
  constructor(options: SipStackOptions & { readonly network: NodeNetwork }, ownClock: NodeClock | undefined) {
    super(options);
    this.#network = options.network;
    this.#ownClock = ownClock;
  }

  /** `udp:127.0.0.1:5060` for each address heard on, with the port it got. */
  get listening(): readonly string[] {
    return this.#network.listening.map(
      ({ transport, address, port }) => `${transport.toLowerCase()}:${bracketed(address)}:${port}`,
    );
  }

  /** `host:port` for our Contact, with a transport parameter where it is not UDP. */
  get contact(): string {
    const transport = this.#network.listening[0]?.transport ?? 'UDP';
    return this.#network.sentBy(transport) + transportParam(transport);
  }

  /** True where this host and port are ours, listened on or advertised. */
  isOwn(host: string, port: number | undefined): boolean {
    return this.#network.isOwn(host, port);
  }

  /** Bytes, connections and failures below the stack; `counters` are the stack's own. */
  get transportCounters(): TransportCounters {
    return this.#network.counters;
  }

  /** Forgets every transaction and dialog, closes the sockets, and resolves when nothing is left open. */
  override async close(): Promise<void> {
    super.close();
    await this.#network.close();
    this.#ownClock?.stop();
  }
}

/**
 * Opens the addresses and gives the stack on them. Rejects with a RangeError for an address that can't be read, and with
 * an Error that names the address and what can be done about it where one can't be had; nothing stays open then.
 */
export async function createSipStack(options: CreateSipStackOptions): Promise<ListeningSipStack> {
  const wanted = options.listen.map(addressOf);
  if (wanted.length === 0) throw new RangeError('listen names no address');
  const ownClock = options.clock === undefined ? new NodeClock() : undefined;
  const clock = options.clock ?? (ownClock as Clock);
  const messages = { ...DEFAULT_LIMITS, ...options.limits?.messages };
  const network = new NodeNetwork({ clock, messages, limits: options.limits?.transports ?? {} });
  const stack = new ListeningSipStack(
    {
      clock,
      identifiers: nodeIdentifiers(),
      network,
      resolver: options.resolver ?? nodeResolver(),
      random: Math.random,
      timers: { ...DEFAULT_TIMERS, ...options.timers },
      limits: messages,
      trusts: options.trusts ?? (() => false),
      ...(options.overload === undefined ? {} : { overload: options.overload }),
    },
    ownClock,
  );
  network.attach(stack);
  try {
    for (const address of wanted) {
      await network.listen(address, {
        ...(options.advertise === undefined ? {} : { advertise: options.advertise }),
        ...(options.tls === undefined ? {} : { tls: options.tls }),
      });
    }
  } catch (error) {
    await stack.close();
    throw error;
  }
  return stack;
}

const LISTEN = /^(udp|tcp|tls|ws|wss):(\[[0-9a-f:.]+\]|[^:[\]\s]+):(\d{1,5})$/i;

function addressOf(text: string): ListenAddress {
  const [, transport, address = '', port = ''] = LISTEN.exec(text) ?? [];
  if (transport === undefined || Number(port) > 65_535) {
    throw new RangeError(`listen: not transport:address:port, such as udp:127.0.0.1:5060: ${text}`);
  }
  const bare = address === '*' ? '0.0.0.0' : address.replace(/^\[|\]$/g, '');
  return { transport: transport.toUpperCase() as TransportName, address: bare, port: Number(port) };
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
