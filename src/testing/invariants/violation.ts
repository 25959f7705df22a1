/** What an invariant says when it does not hold. */
export interface Violation {
  /** Number of the invariant, 1 to 15. */
  readonly invariant: number;
  /** What happened that may not happen, or did not that must. */
  readonly what: string;
  /** ms since the epoch, where it can be told. */
  readonly at?: number;
}
