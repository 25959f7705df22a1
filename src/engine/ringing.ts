/**
 * Records of sessions that ring for long. A restart takes the age of a record for the time in which the process was away, and
 * ends an invitation whose peers must have given up by then. Nothing is stored while it only rings, so these are
 * written again now and then: however long one rings, its record is young.
 */
import type { Clock, Timer } from '../time/clock.ts';
import type { Session } from './session.ts';

export class Ringing {
  readonly #clock: Clock;
  readonly #store: (session: Session) => void;
  /** When each was written, ms since the epoch. */
  readonly #written = new Map<Session, number>();
  #round: Timer | undefined;

  constructor(clock: Clock, store: (session: Session) => void) {
    this.#clock = clock;
    this.#store = store;
  }

  /** The session has been written. */
  written(session: Session): void {
    if (session.context.legs.a?.phase !== 'inviting') this.over(session);
    else {
      this.#written.set(session, this.#clock.now());
      if (this.#round === undefined) this.#lookAfter(session);
    }
  }

  /** It rings no more. */
  over(session: Session): void {
    this.#written.delete(session);
  }

  stop(): void {
    this.#round?.cancel();
    this.#round = undefined;
  }

  /** Each is written again after a quarter of 64*T1, at most a half: the rest is for the restart. */
  #lookAfter({ context }: Session): void {
    const ageMs = context.policy.timers.transactionMs / 4;
    this.#round = this.#clock.schedule(ageMs, { onTimer: () => this.#writeAgain(ageMs) }, 'ringing');
  }

  #writeAgain(ageMs: number): void {
    this.#round = undefined;
    const now = this.#clock.now();
    for (const [session, at] of this.#written) {
      if (now - at >= ageMs) this.#store(session);
      if (this.#round === undefined) this.#lookAfter(session);
    }
  }
}
