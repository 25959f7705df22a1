/** What the stack asks of the transports below it. */
import type { Flow, Target, TransportName } from './flow.ts';

export interface Network {
  /** A way to a target: an open connection is used again (RFC 5923). Undefined where the transport is not spoken. */
  connect(target: Target): Flow | undefined;
  /** The way back for responses over a connection that has closed, or for a datagram (RFC 3261 18.2.2). */
  speaks(transport: TransportName): boolean;
  /** `host:port` for Via and Contact when sending over this transport. */
  sentBy(transport: TransportName): string;
  /** True where this host and port are ours, listening or advertised (RFC 3261 16.4). */
  isOwn(host: string, port: number | undefined): boolean;
  /** Largest request that may go to this address in one datagram (RFC 3261 18.1.1). */
  maxDatagram(address: string): number;
}

/** Names to addresses; answers may come at once or later. An empty list means: nothing found. */
export interface Resolver {
  naptr(domain: string, done: (records: readonly Naptr[]) => void): void;
  srv(name: string, done: (records: readonly Srv[]) => void): void;
  addresses(host: string, done: (addresses: readonly string[]) => void): void;
}

export interface Naptr {
  readonly order: number;
  readonly preference: number;
  /** Upper case, such as `SIP+D2U`. */
  readonly service: string;
  readonly replacement: string;
}

export interface Srv {
  readonly priority: number;
  readonly weight: number;
  readonly host: string;
  readonly port: number;
}
