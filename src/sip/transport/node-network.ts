/** The network of a Node process: listens, connects, and knows its own addresses. */
import { isIP, isIPv6 } from 'node:net';
import { createSecureContext, type SecureContext } from 'node:tls';
import { NodeClock } from '../../host/node-clock.ts';
import type { Clock } from '../../time/clock.ts';
import type { Flow, SentTap, Target, TransportName } from '../flow.ts';
import type { Frame } from '../message/frame.ts';
import { DEFAULT_LIMITS, type MessageLimits } from '../message/parse.ts';
import type { Network } from '../network.ts';
import type { Connection } from './connection.ts';
import { ConnectionTable } from './connection-table.ts';
import { type TransportCounters, transportCounters } from './counters.ts';
import { DEFAULT_TRANSPORT_LIMITS, type TransportLimits } from './limits.ts';
import {
  bestFor,
  isLoopback,
  isWildcard,
  type ListenAddress,
  type Listener,
  listenError,
  literalOf,
} from './listener.ts';
import { OwnAddresses } from './own-addresses.ts';
import { dialTcp, listenTcp } from './tcp.ts';
import { aliasName, dialTls, listenTls, secureContextOf, type TlsMaterial } from './tls.ts';
import { listenUdp, type UdpListener } from './udp.ts';
import { hostName, listenWebSocket } from './websocket.ts';

export type { TransportCounters } from './counters.ts';
export type { TransportLimits } from './limits.ts';
export type { ListenAddress } from './listener.ts';
export type { TlsMaterial } from './tls.ts';

/** What arrives; a frame of a stream answers whether the connection can go on. */
export interface NetworkUser {
  /** A datagram or a WebSocket message. */
  receive(bytes: Uint8Array, flow: Flow): void;
  /** What was cut out of a stream. False: it can't be followed any further, the connection is closed. */
  receiveFrame(frame: Frame, flow: Flow): boolean;
}

export interface NodeNetworkOptions {
  /** For every time limit; absent: a clock of its own. */
  readonly clock?: Clock;
  readonly limits?: Partial<TransportLimits>;
  /** Bounds of one message on a stream or a WebSocket; the same as the stack's. */
  readonly messages?: MessageLimits;
  readonly sent?: SentTap;
}

export interface ListenOptions {
  /** What peers are told instead of the listening address, `host:port`. */
  readonly advertise?: string;
  /** Required for TLS and WSS; also shown to the peers we connect to. */
  readonly tls?: TlsMaterial;
}

export class NodeNetwork implements Network {
  readonly counters: TransportCounters = transportCounters();
  readonly listening: ListenAddress[] = [];
  readonly #ownClock: NodeClock | undefined;
  readonly #sent: SentTap | undefined;
  readonly #table: ConnectionTable;
  readonly #own: OwnAddresses;
  readonly #udp: UdpListener[] = [];
  readonly #listeners: Listener[] = [];
  readonly #sentBy = new Map<TransportName, string>();
  #user: NetworkUser | undefined;
  #secureContext: SecureContext | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: NodeNetworkOptions = {}) {
    this.#ownClock = options.clock === undefined ? new NodeClock() : undefined;
    const clock = options.clock ?? (this.#ownClock as Clock);
    this.#sent = options.sent;
    this.#own = new OwnAddresses(() => clock.now());
    this.#table = new ConnectionTable({
      clock,
      limits: { ...DEFAULT_TRANSPORT_LIMITS, ...options.limits },
      messages: options.messages ?? DEFAULT_LIMITS,
      counters: this.counters,
      connect: (target) => this.connect(target),
      ...(options.sent === undefined ? {} : { sent: options.sent }),
    });
  }

  /** Connections open now, those being dialled included. */
  get connections(): number {
    return this.#table.size;
  }

  attach(user: NetworkUser): void {
    this.#user = user;
    this.#table.user = user;
  }

  /**
   * Opens a listening address and gives it with the port it got. Rejects with an Error that names the address and
   * what can be done about it. Where several are of one transport, the first stands in our Via and Contact.
   */
  async listen(wanted: ListenAddress, options: ListenOptions = {}): Promise<ListenAddress> {
    const { transport } = wanted;
    const secure = transport === 'TLS' || transport === 'WSS';
    if (secure && options.tls === undefined)
      throw new Error(`${transport} needs a certificate: give tls.cert and tls.key`);
    if (options.tls !== undefined) this.#secureContext ??= secureContextOf(options.tls);
    let bound: ListenAddress;
    try {
      const address = await literalOf(wanted.address);
      const listener = await this.#bind({ ...wanted, address }, options.tls);
      bound = { transport, address, port: listener.port };
    } catch (error) {
      throw listenError(wanted, error);
    }
    this.listening.push(bound);
    this.#own.listen(bound.address, bound.port, secure);
    if (options.advertise !== undefined) this.#own.advertise(options.advertise, secure);
    if (!this.#sentBy.has(transport)) this.#sentBy.set(transport, options.advertise ?? this.#spelled(bound));
    return bound;
  }

  async #bind({ transport, address, port }: ListenAddress, tls: TlsMaterial | undefined): Promise<Listener> {
    if (transport === 'UDP') {
      const receive = (bytes: Uint8Array, flow: Flow): void => this.#user?.receive(bytes, flow);
      const udp = await listenUdp(address, port, this.counters, receive, this.#sent);
      this.#udp.push(udp);
      return udp;
    }
    const listener = await this.#bindStream(transport, address, port, tls);
    this.#listeners.push(listener);
    return listener;
  }

  #bindStream(
    transport: TransportName,
    address: string,
    port: number,
    tls: TlsMaterial | undefined,
  ): Promise<Listener> {
    if (transport === 'TCP') return listenTcp(this.#table, address, port);
    if (transport === 'TLS') return listenTls(this.#table, address, port, tls as TlsMaterial);
    return listenWebSocket(this.#table, address, port, transport === 'WSS' ? tls : undefined);
  }

  #spelled({ address, port }: ListenAddress): string {
    const host = isWildcard(address) ? this.#own.reachable(address) : address;
    return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
  }

  connect(target: Target): Flow | undefined {
    const { transport, address, port } = target;
    if (transport === 'UDP') return bestFor(this.#udp, address)?.flowTo(address, port);
    if (!this.speaks(transport) && !(transport === 'WS' && this.speaks('WSS'))) return undefined;
    if (transport === 'WS' || transport === 'WSS') return this.#table.find(hostName(transport, address));
    if (this.#closed !== undefined || isIP(address) === 0) return undefined;
    return this.#openTo(target) ?? this.#dial(target);
  }

  /** RFC 5923: a connection that leads there already, ours or one whose peer asked for our requests. */
  #openTo(target: Target): Connection | undefined {
    const found = this.#table.find(placeOf(target));
    if (found !== undefined || target.transport !== 'TLS') return found;
    const alias = this.#table.find(aliasName(target.address, target.port));
    return alias?.proves?.(target.serverName ?? target.address) === true ? alias : undefined;
  }

  #dial(target: Target): Connection | undefined {
    const from = this.#sourceFor(target);
    try {
      const connection =
        target.transport === 'TCP'
          ? dialTcp(this.#table, target, from)
          : dialTls(this.#table, target, from, this.#secureContext ?? createSecureContext());
      this.#table.claim(placeOf(target), connection);
      return connection;
    } catch {
      // A port beyond 65535: no connection can lead there.
      this.counters.dialFailed++;
      return undefined;
    }
  }

  /** Peers that know us by our address shall see the one we listen on, where it can be left from. */
  #sourceFor({ transport, address }: Target): string | undefined {
    const same = this.listening.filter((listener) => listener.transport === transport);
    const from = bestFor(same, address)?.address;
    return from === undefined || isWildcard(from) || isLoopback(from) !== isLoopback(address) ? undefined : from;
  }

  speaks(transport: TransportName): boolean {
    return this.#sentBy.has(transport);
  }

  sentBy(transport: TransportName): string {
    return this.#sentBy.get(transport) ?? '127.0.0.1';
  }

  isOwn(host: string, port: number | undefined): boolean {
    return this.#own.has(host, port);
  }

  maxDatagram(address: string): number {
    return isLoopback(address) ? 65_000 : 1300;
  }

  /** Stops listening, ends every connection once what was sent is delivered, and resolves when nothing is left open. */
  close(): Promise<void> {
    this.#closed ??= this.#closeAll();
    return this.#closed;
  }

  async #closeAll(): Promise<void> {
    const listeners = [...this.#udp, ...this.#listeners].map((listener) => listener.close());
    await Promise.all([...listeners, this.#table.close()]);
    this.#ownClock?.stop();
  }
}

/** What a connection that we dialled is found by; over TLS also by the name that its certificate was checked for. */
function placeOf({ transport, address, port, serverName }: Target): string {
  return `${transport} ${address} ${port}${transport === 'TLS' ? ` ${serverName ?? ''}` : ''}`;
}
