/** A media plane that only counts: what is bound for which leg, and what is freed. */
import type { MediaPort } from '../engine/ports.ts';
import type { Clock } from '../time/clock.ts';
import type { Chronicle } from './chronicle.ts';

export class VirtualMedia implements MediaPort {
  /** Legs that have media bound, `<session>.<leg>`. */
  readonly bound = new Set<string>();
  readonly #clock: Clock;
  readonly #chronicle: Chronicle;

  constructor(clock: Clock, chronicle: Chronicle) {
    this.#clock = clock;
    this.#chronicle = chronicle;
  }

  /** A description for a leg needs an address and a port there, and both last until they are freed. */
  adapt(session: string, leg: string, sdp: string): string {
    const key = `${session}.${leg}`;
    if (this.bound.has(key)) return sdp;
    this.bound.add(key);
    this.#chronicle.note({ kind: 'media', at: this.#clock.now(), done: 'bind', session, leg });
    return sdp;
  }

  /** Freeing again does nothing, so only what was bound is noted. */
  release(session: string, legs: readonly string[]): void {
    for (const leg of legs) {
      if (!this.bound.delete(`${session}.${leg}`)) continue;
      this.#chronicle.note({ kind: 'media', at: this.#clock.now(), done: 'free', session, leg });
    }
  }

  /** The session is over: whatever it still has is freed. */
  end(session: string): void {
    const legs = [...this.bound].filter((key) => key.startsWith(`${session}.`));
    this.release(
      session,
      legs.map((key) => key.slice(session.length + 1)),
    );
  }

  /** A new process binds again what the one before had. */
  restore(session: string, legs: Readonly<Record<string, unknown>>): void {
    for (const leg of Object.keys(legs)) this.adapt(session, leg, '');
  }

  /** The process is gone, and its sockets with it. */
  crash(): void {
    this.bound.clear();
  }
}
