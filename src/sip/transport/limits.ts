/** Bounds on what peers may hold open. */
export interface TransportLimits {
  /** Connections at a time, inbound and outbound together; the oldest idle one gives way. */
  readonly connections: number;
  /** Milliseconds without traffic before a connection is closed. RFC 5626 peers ping every 120 s. */
  readonly idleMs: number;
  /** Bytes that may wait for a peer that reads slowly; more closes the connection. */
  readonly sendBufferBytes: number;
  /** Milliseconds an outbound connection may take to open. */
  readonly connectMs: number;
}

export const DEFAULT_TRANSPORT_LIMITS: TransportLimits = {
  connections: 10_000,
  idleMs: 600_000,
  sendBufferBytes: 4_194_304,
  connectMs: 5_000,
};
