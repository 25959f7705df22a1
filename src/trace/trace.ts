/** What is kept of one session while it is looked at: each step of its statechart, each message as it was on the wire. */
import type { AnyMachineSnapshot } from 'xstate';
import type { OwnGuards } from '../../machines/session/own-guards.ts';
import type { Session } from '../engine/session.ts';
import type { Unstamped } from '../engine/translate.ts';

export interface TracedStep {
  /** Position among the trace's steps and messages, from 0; it stays when earlier ones are dropped. */
  readonly n: number;
  /** ms since the epoch. */
  readonly at: number;
  /** Undefined for the session's beginning. */
  readonly event: Unstamped | undefined;
  /** The session's own number of the event; 0 for its beginning. */
  readonly step: number;
  readonly before: AnyMachineSnapshot | undefined;
  readonly after: AnyMachineSnapshot;
}

export interface TracedMessage {
  /** As for a step. */
  readonly n: number;
  /** ms since the epoch. */
  readonly at: number;
  readonly direction: 'in' | 'out';
  /** `UDP 127.0.0.1:5060` */
  readonly peer: string;
  /** Wire string: one character a byte. */
  readonly text: string;
  /** Bytes on the wire; more than `text` has where it was too long to be kept whole. */
  readonly bytes: number;
}

/** Steps and messages kept for one session; a long one loses its middle, never its beginning. */
const MAX_STEPS = 256;
const MAX_MESSAGES = 256;
const KEPT_FROM_START = 64;
/** A message may be longer, and is then kept in part. An INVITE with a description and a first CPIM message has 4 kB. */
const MAX_TEXT = 16_384;

export class Trace {
  readonly session: Session;
  readonly begunAt: number;
  /** False where the session had begun before anyone looked: what was before is not here. */
  readonly whole: boolean;
  readonly steps: TracedStep[] = [];
  readonly messages: TracedMessage[] = [];
  /** Call-IDs it is known by beside its own legs'. */
  readonly callIds = new Set<string>();
  endedAt: number | null = null;
  /** Guards of the engine's own. */
  readonly guards: OwnGuards | undefined;
  #next = 0;
  #latest: AnyMachineSnapshot | undefined;

  constructor(session: Session, whole: boolean, guards?: OwnGuards) {
    this.guards = guards;
    this.session = session;
    this.whole = whole;
    this.begunAt = session.now();
    this.#latest = whole ? undefined : snapshotOf(session);
  }

  /** Steps and messages so far, those that were dropped included. */
  get length(): number {
    return this.#next;
  }

  step(event: Unstamped | undefined): void {
    if (this.steps.length >= MAX_STEPS) this.steps.splice(KEPT_FROM_START, 1);
    const { session } = this;
    const after = snapshotOf(session);
    this.steps.push({
      n: this.#next++,
      at: session.now(),
      event,
      step: session.step,
      before: this.#latest,
      after,
    });
    this.#latest = after;
  }

  message(direction: 'in' | 'out', peer: string, text: string): void {
    if (this.messages.length >= MAX_MESSAGES) this.messages.splice(KEPT_FROM_START, 1);
    const at = this.session.now();
    const kept = text.length > MAX_TEXT ? text.slice(0, MAX_TEXT) : text;
    this.messages.push({ n: this.#next++, at, direction, peer, text: kept, bytes: text.length });
  }
}

function snapshotOf(session: Session): AnyMachineSnapshot {
  return session.actor.getSnapshot() as AnyMachineSnapshot;
}
