/**
 * Records of sessions that ring for long. A restart takes the age of a record for the time in which the process was away, and
 * ends an invitation whose peers must have given up by then. Nothing is stored while it only rings, so these are
 * written again now and then: however long one rings, its record is young.
 */
import type { Clock, Timer } from '../time/clock.ts';
import type { Session } from './session.ts';

/** Each is written again after this time, or at most twice of it: together less than 64*T1, with time for the restart. */
const AGE_MS = 8000;

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
      this.#round ??= this.#clock.schedule(AGE_MS, { onTimer: () => this.#writeAgain() }, 'ringing');
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

  #writeAgain(): void {
    this.#round = undefined;
    const now = this.#clock.now();
    for (const [session, at] of this.#written) if (now - at >= AGE_MS) this.#store(session);
    if (this.#written.size > 0) {
      this.#round = this.#clock.schedule(AGE_MS, { onTimer: () => this.#writeAgain() }, 'ringing');
    }
  }
}
