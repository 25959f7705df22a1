/** On which client of a user each live session is, so that it can be extended there (Session-Replaces, A-41). */
import { identityKey } from '../sip/message/uri.ts';

interface Place {
  readonly instance: string;
  readonly session: string;
}

export class LiveInstances {
  readonly #places = new Map<string, Place>();

  /** Of two sessions with one Contribution-ID the later one counts: it has replaced the other. */
  set(user: string, contributionId: string, instance: string, session: string): void {
    this.#places.set(keyOf(user, contributionId), { instance, session });
  }

  /** The `+sip.instance` of the client; null where no such session lives here. */
  get(user: string, contributionId: string): string | null {
    return this.#places.get(keyOf(user, contributionId))?.instance ?? null;
  }

  /** The session is over; one that took its place stays. */
  delete(user: string, contributionId: string, session: string): void {
    const key = keyOf(user, contributionId);
    if (this.#places.get(key)?.session === session) this.#places.delete(key);
  }
}

function keyOf(user: string, contributionId: string): string {
  return `${identityKey(user)}\n${contributionId}`;
}
