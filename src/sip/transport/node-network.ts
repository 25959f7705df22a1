/** The network of a Node process: listens, connects, and knows its own addresses. */
import { isIPv6 } from 'node:net';
import type { Flow, Target, TransportName } from '../flow.ts';
import type { Network } from '../network.ts';
import { listenUdp, type UdpListener } from './udp.ts';

export interface ListenAddress {
  readonly transport: TransportName;
  readonly address: string;
  /** 0 takes a free port. */
  readonly port: number;
}

/** What arrives; a frame of a connection answers whether the connection can go on. */
export interface NetworkUser {
  receive(bytes: Uint8Array, flow: Flow): void;
}

export class NodeNetwork implements Network {
  readonly #udp: UdpListener[] = [];
  readonly #own = new Set<string>();
  readonly #sentBy = new Map<TransportName, string>();
  readonly listening: ListenAddress[] = [];
  #user: NetworkUser | undefined;

  attach(user: NetworkUser): void {
    this.#user = user;
  }

  /** Opens a listening address. `advertise` is what peers are told instead, `host:port`. */
  async listen(wanted: ListenAddress, advertise?: string): Promise<ListenAddress> {
    const listener = await listenUdp(wanted.address, wanted.port, (bytes, flow) => this.#user?.receive(bytes, flow));
    this.#udp.push(listener);
    const bound = { ...wanted, port: listener.port };
    this.listening.push(bound);
    const host = isIPv6(wanted.address) ? `[${wanted.address}]` : wanted.address;
    const own = `${host}:${listener.port}`;
    this.#own.add(own);
    this.#sentBy.set(wanted.transport, advertise ?? own);
    if (advertise !== undefined) this.#own.add(advertise);
    return bound;
  }

  connect(target: Target): Flow | undefined {
    if (target.transport !== 'UDP') return undefined;
    return this.#udp[0]?.flowTo(target.address, target.port);
  }

  speaks(transport: TransportName): boolean {
    return transport === 'UDP';
  }

  sentBy(transport: TransportName): string {
    return this.#sentBy.get(transport) ?? '127.0.0.1';
  }

  isOwn(host: string, port: number | undefined): boolean {
    return this.#own.has(`${host}:${port ?? 5060}`);
  }

  maxDatagram(address: string): number {
    return address.startsWith('127.') || address === '::1' ? 65_000 : 1300;
  }

  async close(): Promise<void> {
    await Promise.all(this.#udp.map((listener) => listener.close()));
  }
}
