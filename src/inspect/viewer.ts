/**
 * Somebody who watches sessions over one connection: which ones, and what is still to be told. The engine never waits
 * for a viewer. While too much waits to be read, frames are dropped before they are made, and once there is room again
 * each session that missed some is told as it is by then.
 */
import type { Session } from '../engine/session.ts';
import { actorFrame, eventFrame, snapshotFrame } from './frames.ts';
import type { Mask } from './redaction.ts';

/** Which sessions a viewer wants. All that is given must fit. */
export interface Choice {
  /** Ids; empty for any. */
  readonly sessions: readonly string[];
  /** How its state begins: `interworking`. */
  readonly state?: string;
  /** A part of the served user's address. */
  readonly user?: string;
  readonly reason?: string;
  /** Share of sessions, 0 to 1, each wholly or not at all. */
  readonly sample: number;
  /** Watched at the same time. */
  readonly limit: number;
}

/** The connection. */
export interface Sink {
  /** Bytes that wait to be sent. */
  readonly waiting: number;
  /** Hands a text frame over; `sent` once it has left. */
  send(frame: string, sent: () => void): void;
}

/**
 * Bytes that may wait for one viewer: some seconds of a busy session, and the whole of what a slow viewer can cost. The
 * largest frame has a chart in it and is about 15 kB.
 */
const MAX_WAITING = 1_048_576;

export class Viewer {
  readonly choice: Choice;
  /** Frames that were not made, since too many waited. */
  dropped = 0;
  readonly #sink: Sink;
  readonly #mask: Mask;
  readonly #watched = new Map<string, Session>();
  /** Sessions of which something is still to be told, and whether the viewer knows them yet. */
  readonly #owed = new Map<Session, 'unknown' | 'behind'>();
  #pumping = false;

  constructor(sink: Sink, choice: Choice, mask: Mask) {
    this.#sink = sink;
    this.choice = choice;
    this.#mask = mask;
  }

  get watching(): number {
    return this.#watched.size;
  }

  /** Sessions that are there already; how they came to where they are is not told. */
  begin(sessions: Iterable<Session>): void {
    for (const session of sessions) {
      if (this.#watched.size >= this.choice.limit) break;
      if (fits(session, this.choice)) this.#watch(session);
    }
    this.#pump();
  }

  #watch(session: Session): void {
    this.#watched.set(session.id, session);
    this.#owed.set(session, 'unknown');
  }

  onTransition(session: Session, event: { readonly type: string } | undefined): void {
    if (!this.#watched.has(session.id)) {
      if (this.#watched.size >= this.choice.limit || !fits(session, this.choice)) return;
      this.#watch(session);
    } else if (!this.#owed.has(session)) return this.#tell(session, event ?? null);
    else this.dropped += 2;
    this.#pump();
  }

  /** The session is over and leaves the engine. */
  onEnd(session: Session): void {
    if (!this.#watched.delete(session.id)) return;
    if (this.#owed.has(session)) return this.#pump();
    this.#tell(session, { type: 'xstate.stop' });
  }

  #tell(session: Session, event: { readonly type: string } | null): void {
    if (!this.#hasRoom) {
      this.dropped += 2;
      this.#owed.set(session, 'behind');
      return;
    }
    const occasion = { session, event, mask: this.#mask };
    this.#send(eventFrame(occasion));
    this.#send(snapshotFrame(occasion));
  }

  get #hasRoom(): boolean {
    return this.#sink.waiting < MAX_WAITING;
  }

  /** Tells what is owed while there is room, the oldest debt first. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    for (const [session, how] of this.#owed) {
      if (!this.#hasRoom) break;
      this.#owed.delete(session);
      const now = { session, event: null, mask: this.#mask };
      this.#send(how === 'unknown' ? actorFrame(now) : snapshotFrame(now));
    }
    this.#pumping = false;
  }

  #send(frame: string): void {
    this.#sink.send(frame, () => {
      if (this.#owed.size > 0) this.#pump();
    });
  }
}

export function fits(session: Session, choice: Choice): boolean {
  const { sessions, state, user, reason, sample } = choice;
  if (sessions.length > 0 && !sessions.includes(session.id)) return false;
  if (sample < 1 && shareOf(session.id) >= sample) return false;
  if (state !== undefined && !session.state.startsWith(state)) return false;
  const { context, dossier } = session;
  if (user !== undefined && !(context.profile?.user ?? dossier.served).includes(user)) return false;
  return reason === undefined || context.ending?.reason === reason;
}

/** A number from 0 to 1 that is always the same for this id, and evenly spread over ids (FNV-1a). */
function shareOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < id.length; at++) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193);
  // The last letters move only the lowest bits; mixed once more they move all.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash ^ (hash >>> 13)) >>> 0) / 0x1_0000_0000;
}
