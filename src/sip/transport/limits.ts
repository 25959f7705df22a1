/** Bounds on what peers may hold open. */
export interface TransportLimits {
  /** Connections at a time, inbound and outbound together; the longest idle one gives way. */
  readonly connections: number;
  /**
   * Inbound connections whose TLS or WebSocket handshake is not done; more are refused. A peer costs most here,
   * and a thousand handshakes within `connectMs` are more than one core can do.
   */
  readonly handshakes: number;
  /** Milliseconds without traffic before a connection is closed. RFC 5626 peers ping every 120 s. */
  readonly idleMs: number;
  /**
   * Milliseconds from the first byte of a message to its last. Just below 64*T1, when the sender's transaction
   * has given up: a peer that feeds bytes more slowly than that only holds memory.
   */
  readonly messageMs: number;
  /**
   * Bytes of unfinished messages over all connections. Each connection may hold one message of a megabyte, and ten
   * thousand of those would be more than a process has; honest peers together hold a few hundred kilobytes.
   */
  readonly unfinishedBytes: number;
  /** Bytes that may wait for a peer that reads slowly; more closes the connection. */
  readonly sendBufferBytes: number;
  /** Milliseconds a connection may take to open, handshakes included, outbound or inbound. */
  readonly connectMs: number;
  /** Milliseconds in which a connection that we end may still take what was sent before. */
  readonly lingerMs: number;
}

export const DEFAULT_TRANSPORT_LIMITS: TransportLimits = {
  connections: 10_000,
  handshakes: 1_000,
  idleMs: 600_000,
  messageMs: 30_000,
  unfinishedBytes: 268_435_456,
  sendBufferBytes: 4_194_304,
  connectMs: 5_000,
  lingerMs: 2_000,
};
