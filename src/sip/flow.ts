/** Where messages come from and go to, as the layers above the transports see it. */

export type TransportName = 'UDP' | 'TCP' | 'TLS' | 'WS' | 'WSS';

/** `;transport=tcp` for a URI of ours; nothing for UDP, which is what a URI without it means. */
export function transportParam(transport: TransportName): string {
  return transport === 'UDP' ? '' : `;transport=${transport.toLowerCase()}`;
}

/** Told when a message could not be handed to the network (RFC 3261 8.1.3.1, 17.1.4, 17.2.4). */
export interface SendFailure {
  onTransportError(reason: string): void;
}

/**
 * A way to one peer: a UDP socket with an address, or a connection. Sending never throws and never blocks;
 * a connection that is not open yet keeps what it is given until it is, within bounds.
 */
export interface Flow {
  readonly transport: TransportName;
  /** True where the transport retransmits by itself, so that SIP does not (RFC 3261 17). */
  readonly reliable: boolean;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** False once a connection has closed. */
  readonly open: boolean;
  send(bytes: Uint8Array, failure?: SendFailure): void;
  /** Datagrams only: the same socket, another peer address. */
  redirect?(address: string, port: number): Flow;
}

/** Sees each message as it is handed to the network, repetitions included; must neither throw nor keep the bytes. */
export type SentTap = (bytes: Uint8Array, flow: Flow) => void;

/** An address to send to, as RFC 3263 finds it. */
export interface Target {
  readonly transport: TransportName;
  readonly address: string;
  readonly port: number;
  /** Name to check a TLS certificate against; the one that was looked up. */
  readonly serverName?: string;
}
