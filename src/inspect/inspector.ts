/**
 * Live inspection: hands every step of the engine's sessions to whoever watches. Without a viewer a step costs one
 * comparison. XState's own observers are never attached: compiled charts run no microsteps that they could tell of, and
 * the engine tells each step anyway.
 */
import type { Session } from '../engine/session.ts';
import type { Mask } from './redaction.ts';
import { type Choice, type Sink, Viewer } from './viewer.ts';

export interface Watching {
  readonly viewer: Viewer;
  stop(): void;
}

export class Inspector {
  readonly #mask: Mask;
  readonly #viewers = new Set<Viewer>();
  /** Of viewers that are gone. */
  #droppedBefore = 0;

  /** @param mask what is done to every text that leaves */
  constructor(mask: Mask) {
    this.#mask = mask;
  }

  get viewers(): number {
    return this.#viewers.size;
  }

  /** Frames that were not made, since too many waited for their viewer. */
  get dropped(): number {
    let sum = this.#droppedBefore;
    for (const viewer of this.#viewers) sum += viewer.dropped;
    return sum;
  }

  /** A session has taken an event, or has begun. */
  observe(session: Session, event: { readonly type: string } | undefined): void {
    if (this.#viewers.size === 0) return;
    for (const viewer of this.#viewers) viewer.onTransition(session, event);
  }

  ended(session: Session): void {
    if (this.#viewers.size === 0) return;
    for (const viewer of this.#viewers) viewer.onEnd(session);
  }

  /** Tells this sink of the sessions it chooses, those that are there first. */
  attach(sink: Sink, choice: Choice, sessions: Iterable<Session>): Watching {
    const viewer = new Viewer(sink, choice, this.#mask);
    this.#viewers.add(viewer);
    viewer.begin(sessions);
    return { viewer, stop: () => this.#detach(viewer) };
  }

  #detach(viewer: Viewer): void {
    if (this.#viewers.delete(viewer)) this.#droppedBefore += viewer.dropped;
  }
}
