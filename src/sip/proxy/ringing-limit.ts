/** Timer C of a forwarded INVITE (RFC 3261 16.6 step 11): one that has rung for too long is cancelled (16.8). */
import type { Clock, Timer, TimerOwner } from '../../time/clock.ts';
import type { TimerValues } from '../transaction/timers.ts';

export class RingingLimit implements TimerOwner {
  readonly #clock: Clock;
  readonly #ms: number;
  readonly #cancel: () => void;
  #timer: Timer | undefined;

  /** `cancel` CANCELs the INVITE; its final response then comes like any other. */
  constructor(clock: Clock, timers: TimerValues, cancel: () => void) {
    this.#clock = clock;
    this.#ms = timers.timerC;
    this.#cancel = cancel;
    this.#start();
  }

  /** 16.7 step 2: each provisional response but 100 sets it anew; a final one ends it. */
  heard(status: number): void {
    if (status === 100) return;
    this.stop();
    if (status < 200) this.#start();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #start(): void {
    this.#timer = this.#clock.schedule(this.#ms, this, 'timerC');
  }

  onTimer(): void {
    this.#timer = undefined;
    this.#cancel();
  }
}
