/** What the media plane counts, for metrics and for tests; a plain object that only grows. */
export interface MsrpCounters {
  /** Whole messages passed on: chunks that were the last of their message. */
  messages: number;
  chunks: number;
  reports: number;
  /** Bytes of bodies. */
  bytes: number;
  /** Bindings made and freed; equal when nothing lives. */
  allocated: number;
  freed: number;
  /** Bindings found again after a restart. */
  restored: number;
  /** m-lines that could not be relayed and passed through: TLS without a certificate of ours, no path. */
  passedThrough: number;
  /** Connections: inbound, outbound, not let in, and why they ended. */
  accepted: number;
  dialled: number;
  dialFailed: number;
  refused: number;
  closedByPeer: number;
  closedBroken: number;
  closedIdle: number;
  closedUnbound: number;
  closedStalled: number;
  closedByUs: number;
  /** Connections that were lost and did not come back in time. */
  failures: number;
  /** Requests answered with an error of our own, by status. */
  readonly refusedRequests: Record<number, number>;
}

export function msrpCounters(): MsrpCounters {
  return {
    messages: 0,
    chunks: 0,
    reports: 0,
    bytes: 0,
    allocated: 0,
    freed: 0,
    restored: 0,
    passedThrough: 0,
    accepted: 0,
    dialled: 0,
    dialFailed: 0,
    refused: 0,
    closedByPeer: 0,
    closedBroken: 0,
    closedIdle: 0,
    closedUnbound: 0,
    closedStalled: 0,
    closedByUs: 0,
    failures: 0,
    refusedRequests: {},
  };
}
