/**
 * What the session store has of each session: written at the end of the turn of the loop in which it changed, in one
 * write for all of them, and deleted when it is over. What a step leads to leaves when the step is written.
 */
import type { Policy } from '../../machines/session/policy.ts';
import type { HistoryIntent, HistoryOutcome } from '../history/intent.ts';
import type { Timer } from '../time/clock.ts';
import type { EngineOptions } from './engine.ts';
import { historyWorkAgain, inOrder, takeHistoryWork, type WaitingMessage } from './history-work.ts';
import { OwedHistory } from './owed-history.ts';
import { PolicyKeys } from './policy-keys.ts';
import type { Batch, SessionRecord } from './ports.ts';
import { Ringing } from './ringing.ts';
import type { Session } from './session.ts';
import { storedOrigin, storedState } from './stored-session.ts';

/** Longest wait of a deletion. */
const DELETION_MS = 50;
/** Before a deletion that could not be written is tried again. */
const RETRY_MS = 1000;

/** The record says already that the session ends, or nothing tells of its end: a restart would only end it once more. */
function isToldOf(session: Session): boolean {
  return !session.written || session.endingWritten || session.pending.length === 0;
}

export class Records {
  readonly #options: EngineOptions;
  readonly #failed: () => void;
  /** Sessions that have changed in this turn. */
  #dirty: Session[] = [];
  readonly #policies = new PolicyKeys();
  #flushing = false;
  /** Records of sessions that are over. */
  readonly #deletes: string[] = [];
  readonly #owed = new OwedHistory();
  readonly #ringing: Ringing;
  /** Messages on their way into the outbox. */
  #messages: WaitingMessage[] = [];
  #deletion: Timer | undefined;

  /** `failed` is told of each write that came to nothing. */
  constructor(options: EngineOptions, failed: () => void) {
    this.#options = options;
    this.#failed = failed;
    this.#ringing = new Ringing(options.clock, (session) => this.store(session));
  }

  /** Runs the session once its last step is stored, or at once where nothing has to be. */
  store(session: Session): void {
    if (!this.#options.store.durable || (session.closed && isToldOf(session))) {
      const work = this.#workOf(session);
      if (work.length > 0) this.#options.history.submit(work);
      session.run();
      return;
    }
    if (session.dirty) return;
    session.dirty = true;
    session.writes++;
    this.#dirty.push(session);
    this.#flushSoon();
  }

  /** A recorded message becomes history work in the same write. */
  addMessage(message: WaitingMessage): void {
    this.#messages.push(message);
    this.#flushSoon();
  }

  /**
   * A record of a session that is over is in nobody's way: a restart would only end it once more. So deletions wait
   * for the next session that begins, or for a moment of their own.
   */
  forget(session: Session): void {
    if (this.#owed.sessionOver(session.id)) this.#flushSoon();
    this.#ringing.over(session);
    if (!session.written) return;
    this.#deletes.push(session.id);
    this.#deleteAfter(DELETION_MS);
  }

  /** What came of history work. */
  onHistory(intent: HistoryIntent, outcome: HistoryOutcome): void {
    if (this.#owed.outcome(intent, outcome)) this.#flushSoon();
  }

  /** A session was taken up. Its history work, of which only its record tells. */
  takenUp(session: Session): HistoryIntent[] {
    this.#ringing.written(session);
    const again = historyWorkAgain(session, this.#now(), this.#options);
    this.#owed.add(again);
    return again;
  }

  #workOf(session: Session): HistoryIntent[] {
    const work = takeHistoryWork(session, this.#now(), this.#options);
    if (this.#options.store.durable) this.#owed.add(work);
    return work;
  }

  /** Writes what still waits, for a host that stops. */
  flush(): void {
    this.#deletion?.cancel();
    this.#deletion = undefined;
    this.#ringing.stop();
    this.#flush();
  }

  /** A policy that a stored session began with; undefined where the store has it no more. */
  policyNamed(key: string): Policy | undefined {
    const body = this.#options.store.policy(key);
    return body === undefined ? undefined : this.#policies.named(key, body);
  }

  #now(): number {
    return this.#options.clock.now();
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    this.#options.defer(() => this.#flush());
  }

  /** Stores everything that changed in this turn, in one write. */
  #flush(): void {
    this.#flushing = false;
    const sessions = this.#dirty;
    this.#dirty = [];
    for (const session of sessions) session.dirty = false;
    const messages = this.#messages;
    this.#messages = [];
    const due = this.#owed.takeDue();
    const orders: HistoryIntent[] = [];
    for (const session of sessions) orders.push(...this.#workOf(session));
    const batch = this.#batchOf(sessions, [...due, ...messages.map(({ intent }) => intent)]);
    this.#options.store.commit(batch, (error) => {
      // What was done while its row was written is done again, so that the row goes.
      const work = [...this.#owed.written(due, error === undefined), ...inOrder(orders, messages)];
      if (error !== undefined) this.#notStored(batch, sessions, error);
      if (work.length > 0) this.#options.history.submit(work);
      for (const { done } of messages) done();
      for (const session of sessions) {
        session.writes--;
        session.run();
      }
    });
  }

  /** Calls are worth more than their copies: they go on, and /readyz says that a restart would lose them. */
  #notStored(batch: Batch, sessions: readonly Session[], error: Error): void {
    this.#failed();
    this.#policies.forget(batch.policies.map((policy) => policy.key));
    this.#deletes.push(...batch.deletes);
    if (this.#somethingWaits) this.#deleteAfter(RETRY_MS);
    // One whose origin had been stored before still has its row, which its end must delete.
    const begun = new Set(batch.puts.flatMap(({ id, origin }) => (origin === undefined ? [] : [id])));
    for (const session of sessions) if (begun.has(session.id)) session.written = false;
    this.#options.log.problem('sessions could not be stored', { error: error.message, sessions: sessions.length });
  }

  #batchOf(sessions: readonly Session[], intents: readonly HistoryIntent[]): Batch {
    const puts: SessionRecord[] = [];
    const policies: { key: string; body: string }[] = [];
    for (const session of sessions) {
      // It ended while it waited: its deletion is on its way. What tells of an end that no record knows of is stored.
      if (session.closed && isToldOf(session)) continue;
      const { key, unwritten } = this.#policies.keyOf(session.context.policy);
      if (unwritten !== undefined) policies.push({ key, body: unwritten });
      puts.push(this.#recordOf(session, key));
    }
    return { puts, deletes: this.#deletesBeside(puts), intents, policies };
  }

  /** Those that are due, or as many as new records come in: the store can write the one over the other. */
  #deletesBeside(puts: readonly SessionRecord[]): string[] {
    if (this.#deletion === undefined) return this.#deletes.splice(0);
    return this.#deletes.splice(0, puts.filter(({ origin }) => origin !== undefined).length);
  }

  #recordOf(session: Session, policy: string): SessionRecord {
    let origin: string | undefined;
    if (!session.written) {
      origin = storedOrigin(session, policy);
      session.written = true;
      session.writtenProfile = session.context.profile ?? undefined;
    }
    const state = storedState(session, this.#now(), this.#options.sip);
    session.endingWritten = session.context.ending !== null;
    this.#ringing.written(session);
    return origin === undefined ? { id: session.id, state } : { id: session.id, origin, state };
  }

  get #somethingWaits(): boolean {
    return this.#deletes.length > 0 || this.#owed.isDue;
  }

  #deleteAfter(ms: number): void {
    this.#deletion ??= this.#options.clock.schedule(ms, { onTimer: () => this.#deleteNow() }, 'deletions');
  }

  #deleteNow(): void {
    this.#deletion = undefined;
    if (this.#somethingWaits) this.#flushSoon();
  }
}
