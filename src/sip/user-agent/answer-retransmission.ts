/** RFC 3261 13.3.1.4: the user agent server repeats its 2xx until the ACK comes, over any transport. */
import type { Clock, Timer, TimerOwner } from '../../time/clock.ts';
import type { InviteServerTransaction } from '../transaction/invite-server.ts';
import { type TimerValues, transactionTimeout } from '../transaction/timers.ts';

export class AnswerRetransmission implements TimerOwner {
  readonly #clock: Clock;
  readonly #t2: number;
  readonly #transaction: InviteServerTransaction;
  readonly #giveUp: () => void;
  readonly #giveUpAt: number;
  #interval: number;
  #timer: Timer;

  /** Starts with the 2xx just sent. `giveUp` is called once, after 64*T1 without an ACK. */
  constructor(clock: Clock, timers: TimerValues, transaction: InviteServerTransaction, giveUp: () => void) {
    this.#clock = clock;
    this.#t2 = timers.t2;
    this.#transaction = transaction;
    this.#giveUp = giveUp;
    this.#giveUpAt = clock.now() + transactionTimeout(timers);
    this.#interval = timers.t1;
    this.#timer = clock.schedule(this.#interval, this, 'repeat2xx');
  }

  onTimer(): void {
    const left = this.#giveUpAt - this.#clock.now();
    if (left <= 0) {
      this.#giveUp();
      return;
    }
    this.#transaction.send();
    this.#interval = Math.min(this.#interval * 2, this.#t2);
    this.#timer = this.#clock.schedule(Math.min(this.#interval, left), this, 'repeat2xx');
  }

  /** The ACK has come, or nobody waits for it any more. */
  stop(): void {
    this.#timer.cancel();
    this.#transaction.dropResponse();
  }
}
