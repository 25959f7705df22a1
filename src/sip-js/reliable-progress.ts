/** RFC 3262 3, which sip.js leaves to its user: provisional responses repeated until their PRACK, one at a time. */
import { type HeaderField, headerField } from '../sip/message/header.ts';
import type { SipRequest } from '../sip/message/message.ts';
import { DEFAULT_TIMERS, transactionTimeout } from '../sip/transaction/timers.ts';
import type { Clock, Timer, TimerOwner } from '../time/clock.ts';

interface Waiting {
  readonly rseq: number;
  send(): void;
}

export class ReliableProgress implements TimerOwner {
  readonly #clock: Clock;
  readonly #inviteCSeq: number;
  readonly #giveUp: () => void;
  #lastRSeq = 0;
  #interval = 0;
  #giveUpAt = 0;
  #timer: Timer | undefined;
  /** The first one has been sent. */
  readonly #waiting: Waiting[] = [];

  /** `giveUp` is called once, where a response has had no PRACK within 64*T1. */
  constructor(clock: Clock, inviteCSeq: number, giveUp: () => void) {
    this.#clock = clock;
    this.#inviteCSeq = inviteCSeq;
    this.#giveUp = giveUp;
  }

  /** Sends a response, at once or when those before it are acknowledged. `send` gets its two headers. */
  add(send: (headers: readonly HeaderField[]) => void): void {
    const rseq = ++this.#lastRSeq;
    const headers = [headerField('Require', '100rel'), headerField('RSeq', String(rseq))];
    this.#waiting.push({ rseq, send: () => send(headers) });
    if (this.#waiting.length === 1) this.#sendFirst();
  }

  #sendFirst(): void {
    const first = this.#waiting[0];
    if (first === undefined) return;
    this.#interval = DEFAULT_TIMERS.t1;
    this.#giveUpAt = this.#clock.now() + transactionTimeout(DEFAULT_TIMERS);
    first.send();
    this.#timer = this.#clock.schedule(this.#interval, this, 'repeat1xx');
  }

  onTimer(): void {
    const left = this.#giveUpAt - this.#clock.now();
    if (left <= 0) {
      this.stop();
      this.#giveUp();
      return;
    }
    this.#waiting[0]?.send();
    this.#interval *= 2;
    this.#timer = this.#clock.schedule(Math.min(this.#interval, left), this, 'repeat1xx');
  }

  /** Takes a PRACK. False where it acknowledges nothing that waits. */
  take(prack: SipRequest): boolean {
    const rack = /^(\d+)\s+(\d+)\s+INVITE$/.exec(prack.header('rack') ?? '');
    const first = this.#waiting[0];
    if (first === undefined || Number(rack?.[1]) !== first.rseq || Number(rack?.[2]) !== this.#inviteCSeq) return false;
    this.#timer?.cancel();
    this.#waiting.shift();
    return true;
  }

  /** Sends what waited for the last PRACK. */
  next(): void {
    this.#sendFirst();
  }

  /** The INVITE has its final answer, or nobody waits for one. */
  stop(): void {
    this.#timer?.cancel();
    this.#waiting.length = 0;
  }
}
