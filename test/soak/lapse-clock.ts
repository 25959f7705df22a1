/** The clock of a server in time lapse (`test/support/time-lapse.mjs`), ten times as fast, for those who speak to it. */
import { NodeClock } from '../../src/host/node-clock.ts';
import type { Clock, Timer, TimerOwner } from '../../src/time/clock.ts';

export const SPEED = 10;

export class LapseClock implements Clock {
  readonly #clock = new NodeClock();

  now(): number {
    return this.#clock.now() * SPEED;
  }

  schedule(delayMs: number, owner: TimerOwner, name: string): Timer {
    return this.#clock.schedule(delayMs / SPEED, owner, name);
  }

  /** Lets so many milliseconds of it pass. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.schedule(ms, { onTimer: () => resolve() }, 'pause'));
  }

  stop(): void {
    this.#clock.stop();
  }
}
