/**
 * The outbox: history work waits here until its store has done it, in order for each folder, with growing pauses
 * while the store fails. What waits is durable: the session store keeps it, and a restart brings it back. While the
 * store is away altogether, one piece of work asks for it again and again, and the others wait for that one.
 */
import type { HistoryPort } from '../engine/ports.ts';
import type { Clock } from '../time/clock.ts';
import { type Done, type HistoryDriver, StoreAway } from './driver.ts';
import type { FolderRef, HistoryIntent, HistoryOutcome } from './intent.ts';
import { type RecordingRules, record, type Uids } from './record.ts';

export interface OutboxOptions {
  readonly driver: HistoryDriver;
  readonly rules: RecordingRules;
  readonly clock: Clock;
  /** The work is done: it need not be kept any longer. */
  readonly forget: (ids: readonly string[]) => void;
  readonly onOutcome: (intent: HistoryIntent, outcome: HistoryOutcome) => void;
  /** Where the contents of long messages wait. */
  readonly spool?: IntentSpool;
  /** First pause after a failure, and the longest, ms; each one is twice the one before. */
  readonly retry?: { readonly firstMs: number; readonly longestMs: number };
}

/** Asking for a store that is away costs one connection, however much waits: it need not be put off for long. */
const LONGEST_AWAY_MS = 5_000;

/** Contents that an intent names instead of carrying them. */
export interface IntentSpool {
  /** Undefined where there is none of this name any more. */
  read(name: string, done: Done<string>): void;
  remove(name: string): void;
}

/** A content is removed when it is stored; that its intent is done may be written down only later. */
const DONE_BEFORE: HistoryOutcome = { ok: true, sessionInfoUid: null, groupStateUid: null };

const DEFAULT_RETRY = { firstMs: 1_000, longestMs: 60_000 };

interface FolderQueue {
  readonly key: string;
  readonly intents: HistoryIntent[];
  busy: boolean;
  pauseMs: number;
}

export class Outbox implements HistoryPort {
  readonly #options: OutboxOptions;
  readonly #queues = new Map<string, FolderQueue>();
  readonly #paused = new Set<FolderQueue>();
  readonly #retry: { readonly firstMs: number; readonly longestMs: number };
  #closed = false;
  /** Folders that wait for a store that is away; undefined while it is there. */
  #away: { readonly held: Set<FolderQueue>; probe: FolderQueue | undefined; pauseMs: number } | undefined;
  /** Pieces of work done. */
  done = 0;
  failures = 0;
  /** What the store said last; null while it works. */
  lastError: string | null = null;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#retry = options.retry ?? DEFAULT_RETRY;
  }

  /** Intents waiting. */
  get depth(): number {
    let depth = 0;
    for (const queue of this.#queues.values()) depth += queue.intents.length;
    return depth;
  }

  /** Folders whose work failed and that pause, or wait for a store that is away. */
  get paused(): number {
    return this.#paused.size + (this.#away?.held.size ?? 0);
  }

  /** When the oldest waiting intent was ordered, ms since the epoch; undefined where none waits. */
  get oldest(): number | undefined {
    let oldest: number | undefined;
    for (const queue of this.#queues.values()) {
      for (const { at } of queue.intents) if (oldest === undefined || at < oldest) oldest = at;
    }
    return oldest;
  }

  submit(intents: readonly HistoryIntent[]): void {
    for (const intent of intents) {
      const queue = this.#queueOf(intent.folder);
      if (queue.intents.some((waiting) => waiting.id === intent.id)) continue;
      queue.intents.push(intent);
      this.#work(queue);
    }
  }

  #queueOf(folder: FolderRef): FolderQueue {
    const key = `${folder.user}\n${folder.conversationId}\n${folder.contributionId}`;
    let queue = this.#queues.get(key);
    if (queue === undefined) {
      queue = { key, intents: [], busy: false, pauseMs: this.#retry.firstMs };
      this.#queues.set(key, queue);
    }
    return queue;
  }

  #work(queue: FolderQueue): void {
    const intent = queue.intents[0];
    if (intent === undefined) this.#queues.delete(queue.key);
    if (intent === undefined || queue.busy || this.#closed) return;
    queue.busy = true;
    if (this.#away !== undefined && this.#away.probe !== queue) {
      return this.#hold(queue, intent, this.lastError ?? 'away');
    }
    this.#complete(intent, (missing, complete) => {
      if (this.#closed) return;
      if (missing !== null) return this.#fail(queue, intent, missing.message);
      if (complete === undefined) return this.#finish(queue, intent, DONE_BEFORE);
      this.#record(complete, (error, uids) => {
        if (this.#closed) return;
        if (error instanceof StoreAway) return this.#storeAway(queue, intent, error.message);
        this.#storeThere(queue);
        if (error !== null || uids === undefined) this.#fail(queue, intent, error?.message ?? 'no answer');
        else this.#finish(queue, intent, { ok: true, ...uids });
      });
    });
  }

  /** The intent with its content, for as long as it is at work; undefined where that is gone, since it is done. */
  #complete(intent: HistoryIntent, done: Done<HistoryIntent>): void {
    const { spool } = this.#options;
    if (intent.kind !== 'message' || intent.spooled === null) return done(null, intent);
    if (spool === undefined) return done(new Error(`${intent.spooled}: there is no spool`));
    spool.read(intent.spooled, (error, content) => {
      if (error !== null || content === undefined) done(error);
      else done(null, { ...intent, object: intent.object + content });
    });
  }

  /** As one write where the store can do that: all of it or nothing, told when the write is done. */
  #record(intent: HistoryIntent, done: Done<Uids>): void {
    const { driver, rules } = this.#options;
    if (driver.together === undefined) return record(driver, rules, intent, done);
    let uids: Uids | undefined;
    try {
      driver.together(() => {
        record(driver, rules, intent, (error, stored) => {
          if (error !== null) throw error;
          uids = stored;
        });
      });
    } catch (error) {
      return done(error as Error);
    }
    done(null, uids);
  }

  #finish(queue: FolderQueue, intent: HistoryIntent, outcome: HistoryOutcome): void {
    this.done++;
    this.lastError = null;
    queue.busy = false;
    queue.intents.shift();
    queue.pauseMs = this.#retry.firstMs;
    this.#options.forget([intent.id]);
    if (intent.kind === 'message' && intent.spooled !== null) this.#options.spool?.remove(intent.spooled);
    this.#options.onOutcome(intent, outcome);
    this.#work(queue);
  }

  #fail(queue: FolderQueue, intent: HistoryIntent, error: string): void {
    this.failures++;
    this.lastError = error;
    queue.busy = true;
    this.#paused.add(queue);
    this.#options.clock.schedule(queue.pauseMs, { onTimer: () => this.#resume(queue) }, 'outboxRetry');
    queue.pauseMs = Math.min(queue.pauseMs * 2, this.#retry.longestMs);
    this.#options.onOutcome(intent, { ok: false, error });
  }

  #resume(queue: FolderQueue): void {
    if (!this.#paused.delete(queue)) return;
    queue.busy = false;
    this.#work(queue);
  }

  #storeAway(queue: FolderQueue, intent: HistoryIntent, error: string): void {
    this.failures++;
    this.lastError = error;
    if (this.#away === undefined) {
      this.#away = { held: new Set(), probe: undefined, pauseMs: this.#retry.firstMs };
      this.#askLater();
    } else if (this.#away.probe === queue) {
      this.#away.probe = undefined;
      this.#askLater();
    }
    this.#hold(queue, intent, error);
  }

  /** The session is told at once, so that it is degraded and nobody waits for its history. */
  #hold(queue: FolderQueue, intent: HistoryIntent, error: string): void {
    this.#away?.held.add(queue);
    this.#options.onOutcome(intent, { ok: false, error });
  }

  #askLater(): void {
    const away = this.#away;
    if (away === undefined) return;
    this.#options.clock.schedule(away.pauseMs, { onTimer: () => this.#ask() }, 'outboxRetry');
    away.pauseMs = Math.min(away.pauseMs * 2, this.#retry.longestMs, LONGEST_AWAY_MS);
  }

  /** The folder that has waited longest asks whether the store is back. */
  #ask(): void {
    const [queue] = this.#away?.held ?? [];
    if (this.#away === undefined || this.#away.probe !== undefined || queue === undefined) return;
    this.#away.held.delete(queue);
    this.#away.probe = queue;
    queue.busy = false;
    this.#work(queue);
  }

  /** The store has answered this folder, if only with a refusal: the others go on. */
  #storeThere(queue: FolderQueue): void {
    if (this.#away?.probe !== queue) return;
    const { held } = this.#away;
    this.#away = undefined;
    for (const waiting of held) {
      waiting.busy = false;
      this.#work(waiting);
    }
  }

  /** Tries everything that pauses at once, as before a shutdown. */
  retryNow(): void {
    this.#ask();
    for (const queue of [...this.#paused]) this.#resume(queue);
  }

  /** Stops working; what waits stays durable. */
  close(): void {
    this.#closed = true;
  }
}
