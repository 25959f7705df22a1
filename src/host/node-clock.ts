/** The real clock: a timer wheel turned by the event loop. */

import type { Clock, Timer, TimerOwner } from '../time/clock.ts';
import { TICK_MS, TimerWheel } from '../time/timer-wheel.ts';

/** Milliseconds since the epoch that never go backwards, whatever happens to the system's clock. */
export function steadyNow(): number {
  return performance.timeOrigin + performance.now();
}

export class NodeClock implements Clock {
  readonly #wheel = new TimerWheel(steadyNow);
  #ticking: NodeJS.Timeout | undefined;

  now(): number {
    return steadyNow();
  }

  schedule(delayMs: number, owner: TimerOwner, name: string): Timer {
    const timer = this.#wheel.schedule(delayMs, owner, name);
    // An idle process sleeps: the wheel turns only while something waits in it.
    this.#ticking ??= setInterval(() => this.#tick(), TICK_MS);
    return timer;
  }

  #tick(): void {
    this.#wheel.advance();
    if (this.#wheel.size > 0) return;
    clearInterval(this.#ticking);
    this.#ticking = undefined;
  }

  /** Timers waiting. */
  get size(): number {
    return this.#wheel.size;
  }

  /** Stops turning: nothing fires any more. */
  stop(): void {
    clearInterval(this.#ticking);
    this.#ticking = undefined;
  }
}
