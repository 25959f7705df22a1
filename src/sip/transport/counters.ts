/** What the transports count, for metrics and for tests; a plain object that only grows. */

/** Why an open connection came to its end. */
export type CloseCause =
  /** The peer ended it. */
  | 'closedByPeer'
  /** It broke: a reset, a lost network. */
  | 'closedBroken'
  | 'closedIdle'
  /** One more was wanted than may be open, and this was the longest idle one. */
  | 'closedGaveWay'
  /** The peer did not read what was sent to it. */
  | 'closedSlowReader'
  /** A message was begun and not completed in time, or too many were under way. */
  | 'closedUnfinished'
  /** What came could not be cut into messages any further. */
  | 'closedUnreadable'
  /** We stop. */
  | 'closedByUs';

export type TransportCounter =
  | CloseCause
  /** Inbound connections, handshake done. */
  | 'accepted'
  /** Inbound connections that did not get through their handshake, or were one too many. */
  | 'refused'
  /** Outbound connections that opened. */
  | 'dialled'
  /** Outbound connections that did not open: refused, out of time, wrong certificate. */
  | 'dialFailed'
  /** Keep-alives of RFC 5626 3.5.1 on a datagram socket. */
  | 'datagramKeepAlives'
  /** STUN messages on the SIP port (RFC 5626 3.5.2). */
  | 'datagramStun';

export type TransportCounters = Record<TransportCounter, number>;

export function transportCounters(): TransportCounters {
  return {
    accepted: 0,
    refused: 0,
    dialled: 0,
    dialFailed: 0,
    closedByPeer: 0,
    closedBroken: 0,
    closedIdle: 0,
    closedGaveWay: 0,
    closedSlowReader: 0,
    closedUnfinished: 0,
    closedUnreadable: 0,
    closedByUs: 0,
    datagramKeepAlives: 0,
    datagramStun: 0,
  };
}
