/**
 * Time as the core sees it: a number that is asked for, and timers that are named records, not callbacks in
 * the dark. The host owns the real clock; tests own a virtual one.
 */

/** Whoever waits. `name` is the timer's name in its standard, such as `timerB`. */
export interface TimerOwner {
  onTimer(name: string): void;
}

/** A timer that may still be taken back. Cancelling twice, or after it fired, does nothing. */
export interface Timer {
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly dueAt: number;
  cancel(): void;
}

export interface Clock {
  /** Milliseconds since the epoch, never going backwards within one run. */
  now(): number;
  /** Fires once, not before `delayMs` from now. */
  schedule(delayMs: number, owner: TimerOwner, name: string): Timer;
}
