/** Messages said again until they are heard: T1, doubled up to T2, for 64*T1 (RFC 3261 17.1, 13.3.1.4). */
import type { Clock, Timer } from '../../time/clock.ts';

const T1 = 500;
const T2 = 4000;
const PATIENCE_MS = 64 * T1;

interface Pending {
  readonly say: () => void;
  readonly giveUp: () => void;
  readonly until: number;
  interval: number;
  timer: Timer;
}

export class Repetitions {
  readonly #clock: Clock;
  readonly #pending = new Map<string, Pending>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Says it now and, where it is repeated, again until `stop`; `giveUp` where nobody has heard in time. */
  say(key: string, repeated: boolean, say: () => void, giveUp: () => void = () => {}): void {
    this.stop(key);
    say();
    const until = this.#clock.now() + PATIENCE_MS;
    const interval = repeated ? T1 : PATIENCE_MS;
    const timer = this.#clock.schedule(interval, { onTimer: () => this.#again(key) }, 'repetition');
    this.#pending.set(key, { say, giveUp, until, interval, timer });
  }

  #again(key: string): void {
    const pending = this.#pending.get(key);
    if (pending === undefined) return;
    const left = pending.until - this.#clock.now();
    if (left <= 0) {
      this.#pending.delete(key);
      pending.giveUp();
      return;
    }
    pending.say();
    pending.interval = Math.min(pending.interval * 2, T2);
    const wait = Math.min(pending.interval, left);
    pending.timer = this.#clock.schedule(wait, { onTimer: () => this.#again(key) }, 'repetition');
  }

  /** It was heard. True where it was still being said. */
  stop(key: string): boolean {
    this.#pending.get(key)?.timer.cancel();
    return this.#pending.delete(key);
  }
}
