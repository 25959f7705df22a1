/** Timer values (RFC 3261 table 4, RFC 6026 8), from the three the operator may set. All in milliseconds. */
export interface TimerValues {
  /** Round-trip estimate. */
  readonly t1: number;
  /** Longest interval between retransmissions. */
  readonly t2: number;
  /** How long the network may keep a message. */
  readonly t4: number;
  /** Longest wait for a final response once a proxy or B2BUA has seen a provisional one; above 180 s (16.6, 11). */
  readonly timerC: number;
  /** How long an INVITE may be without any response before it gets a 100 (17.2.1); 0 sends it at once. */
  readonly trying: number;
}

export const DEFAULT_TIMERS: TimerValues = { t1: 500, t2: 4000, t4: 5000, timerC: 181_000, trying: 200 };

/** 64*T1: timers B, F, H, J, L, M and the wait for an ACK. */
export function transactionTimeout(values: TimerValues): number {
  return 64 * values.t1;
}
