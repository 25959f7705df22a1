/** Sessions that have ended lately, in short: enough to find one by its user or its reason. */
import type { EndReason } from '../../../machines/session/context.ts';
import type { Session } from '../../engine/session.ts';
import { otherSideOf } from './views.ts';

export interface EndedSession {
  readonly id: string;
  readonly user: string;
  /** Whoever was on the other side of the served user. */
  readonly with: string;
  readonly role: string;
  readonly mode: string | null;
  readonly reason: EndReason | null;
  /** ms since the epoch. */
  readonly startedAt: number;
  readonly endedAt: number;
}

const KEPT = 500;

export class EndedSessions {
  readonly #ring: EndedSession[] = [];
  #next = 0;

  note(session: Session): void {
    const { context, dossier } = session;
    this.#ring[this.#next] = {
      id: session.id,
      user: context.profile?.user ?? dossier.served,
      with: otherSideOf(session),
      role: context.role,
      mode: context.mode,
      reason: context.ending?.reason ?? null,
      startedAt: session.startedAt,
      endedAt: session.now(),
    };
    this.#next = (this.#next + 1) % KEPT;
  }

  /** The latest first. */
  list(): EndedSession[] {
    const { length } = this.#ring;
    return Array.from(
      { length },
      (_, back) => this.#ring[(this.#next - 1 - back + 2 * length) % length] as EndedSession,
    );
  }
}
