/**
 * Subscriptions of our own to the `conference` event of a focus (RFC 4575), for group sessions whose client does not ask
 * for it through us: from the moment the session is recorded until it is not. Whatever becomes of them, the session
 * goes on.
 */

import { CONFERENCE_INFO } from '../engine/conference.ts';
import type { Session } from '../engine/session.ts';
import type { SubscriptionOptions, SubscriptionUser } from '../sip/user-agent/subscription.ts';

export interface ConferenceWatchOptions {
  readonly sip: {
    subscribe(options: SubscriptionOptions, user: SubscriptionUser): unknown;
    unsubscribe(id: string): void;
  };
  readonly token: () => string;
  readonly contact: string;
  readonly routes: readonly string[];
  /** False where it could not be read. */
  readonly told: (session: string, body: Uint8Array) => boolean;
}

/** Group sessions that are watched at a time; those above it have what passes. */
const MOST_WATCHED = 10_000;
/** RFC 4575 3.4. */
const EXPIRES_SECONDS = 3600;
/** States of the recording in which it matters who is there. */
const RECORDING = ['live', 'degraded'];

export class ConferenceWatch {
  readonly counters = { begun: 0, failed: 0 };
  readonly #options: ConferenceWatchOptions;
  /** Subscriptions by session; null for one that came to nothing, which is not tried again. */
  readonly #watched = new Map<string, string | null>();

  constructor(options: ConferenceWatchOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#watched.size;
  }

  /** After each step of a session. */
  observe({ id, context, dossier, regions }: Session): void {
    if (!dossier.papers.group || context.mode !== 'b2bua') return;
    const recording = RECORDING.includes(regions.recording ?? '');
    if (!recording) this.end(id);
    else if (!this.#watched.has(id) && this.#watched.size < MOST_WATCHED) this.#begin(id, dossier);
  }

  #begin(session: string, { papers, served }: Session['dossier']): void {
    if (papers.farContact === null) return;
    const { sip, token, contact, routes, told } = this.#options;
    const id = token();
    this.#watched.set(session, id);
    this.counters.begun++;
    const event = { event: 'conference', accept: CONFERENCE_INFO, expiresSeconds: EXPIRES_SECONDS };
    sip.subscribe(
      { id, uri: papers.farContact, from: served, contact, routes, ...event },
      {
        onNotify: (body) => told(session, body),
        onEnd: () => {
          this.counters.failed++;
          sip.unsubscribe(id);
          if (this.#watched.get(session) === id) this.#watched.set(session, null);
        },
      },
    );
  }

  /** The session is over, or not recorded any more. */
  end(session: string): void {
    const id = this.#watched.get(session);
    this.#watched.delete(session);
    if (typeof id === 'string') this.#options.sip.unsubscribe(id);
  }
}
