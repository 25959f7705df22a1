/** Bounds on what MSRP peers may hold open, send and wait for. */
export interface MsrpLimits {
  /** Bytes of start line and headers of one request. Two paths through several relays stay below 4 kB. */
  readonly headBytes: number;
  /** Bytes of one whole message, whatever its chunks; more gets a 413. */
  readonly messageBytes: number;
  /** Connections at a time, inbound and outbound together; more are closed at once. */
  readonly connections: number;
  /** Requests a peer may leave unanswered before nobody sends to it any more. */
  readonly pending: number;
  /** Bytes that wait for a peer that reads slowly before its senders wait as well. */
  readonly sendBufferBytes: number;
  /** ms in which an inbound connection has to name a session, and a peer to be there for a session's first message. */
  readonly openMs: number;
  /** ms an outbound connection may take to open, handshake included. */
  readonly connectMs: number;
  /** ms from the first byte of a head to its last, and without a byte within a body. */
  readonly stallMs: number;
  /** ms without traffic before a connection is closed; the session goes on and may open another. */
  readonly idleMs: number;
  /** ms a lost connection has to come back before it counts as failed. */
  readonly reconnectMs: number;
  /** ms from the last byte of a request to its response (RFC 4975 7.1.1: 30 s). */
  readonly responseMs: number;
  /** ms in which a connection that we end may still take what was sent before. */
  readonly lingerMs: number;
}

export const DEFAULT_MSRP_LIMITS: MsrpLimits = {
  headBytes: 16_384,
  messageBytes: 1_073_741_824,
  connections: 20_000,
  pending: 512,
  sendBufferBytes: 65_536,
  openMs: 30_000,
  connectMs: 5_000,
  stallMs: 30_000,
  idleMs: 1_800_000,
  reconnectMs: 10_000,
  responseMs: 30_000,
  lingerMs: 2_000,
};
