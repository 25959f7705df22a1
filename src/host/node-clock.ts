/** The real clock: a timer wheel turned by the event loop. */

import type { Clock, Timer, TimerOwner } from '../time/clock.ts';
import { TimerWheel } from '../time/timer-wheel.ts';

/** When the process began, ms since the epoch. */
const { timeOrigin } = performance;

/** Whole milliseconds since the epoch that never go backwards, whatever happens to the system's clock. */
export function steadyNow(): number {
  return Math.floor(timeOrigin + performance.now());
}

/** However little waits, the wheel is turned so often. Timers that come in meanwhile mostly wait longer. */
const LONGEST_SLEEP_MS = 100;

export class NodeClock implements Clock {
  readonly #wheel = new TimerWheel(steadyNow);
  #sleep: NodeJS.Timeout | undefined;
  /** When the wheel is turned next, ms since the epoch. */
  #wakesAt = Number.POSITIVE_INFINITY;
  #lagMs = 0;

  now(): number {
    return steadyNow();
  }

  /** How late the event loop runs, ms: how much later the wheel was turned than it should have been. 0 while nothing waits. */
  get lagMs(): number {
    return this.#lagMs;
  }

  schedule(delayMs: number, owner: TimerOwner, name: string): Timer {
    const timer = this.#wheel.schedule(delayMs, owner, name);
    if (timer.dueAt < this.#wakesAt) this.#sleepOn();
    return timer;
  }

  #sleepOn(): void {
    clearTimeout(this.#sleep);
    const ms = this.#wheel.untilNext(LONGEST_SLEEP_MS);
    this.#wakesAt = steadyNow() + ms;
    this.#sleep = setTimeout(() => this.#wake(), ms);
  }

  #wake(): void {
    // Smoothed, so that one long pause does not turn callers away, and a lasting one does.
    this.#lagMs = this.#lagMs * 0.5 + Math.max(0, steadyNow() - this.#wakesAt) * 0.5;
    // Timers that come in now are looked at when all have fired.
    this.#wakesAt = 0;
    try {
      this.#wheel.advance();
    } finally {
      // An idle process sleeps: the wheel turns only while something waits in it.
      if (this.#wheel.size > 0) this.#sleepOn();
      else this.stop();
    }
  }

  /** Timers waiting. */
  get size(): number {
    return this.#wheel.size;
  }

  /** Stops turning: nothing fires any more, until the next timer is started. */
  stop(): void {
    clearTimeout(this.#sleep);
    this.#sleep = undefined;
    this.#wakesAt = Number.POSITIVE_INFINITY;
    this.#lagMs = 0;
  }
}
