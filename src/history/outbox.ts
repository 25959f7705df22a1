/**
 * The outbox: history work waits here until its store has done it, in order for each folder, with growing pauses
 * while the store fails. What waits is durable: the session store keeps it, and a restart brings it back. While the
 * store is away altogether, one piece of work asks for it again and again, and the others wait for that one.
 */
import type { HistoryPort } from '../engine/ports.ts';
import { Registry } from '../registry.ts';
import type { Clock, Timer } from '../time/clock.ts';
import { type Done, type HistoryDriver, StoreAway } from './driver.ts';
import type { FolderRef, HistoryIntent, HistoryOutcome, MessageIntent } from './intent.ts';
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

/**
 * Work waits this long for other work, where the store does several pieces as one write: it is durable already, and a
 * write costs more than a piece.
 */
const GATHER_MS = 20;
/** Folders that wait; more would stop the loop for longer than a message may wait for it. */
const MOST_GATHERED = 16;
/** Work of one folder that goes to the store in one piece, and its bytes. */
const MOST_AT_ONCE = 64;
const MOST_BYTES_AT_ONCE = 1_048_576;

interface FolderQueue {
  readonly key: string;
  readonly intents: HistoryIntent[];
  /** Of the intents, so that one that comes again is known. */
  readonly ids: Set<string>;
  busy: boolean;
  pauseMs: number;
  /** Intents that go one by one, since together they failed. */
  alone: number;
}

/** What a write with the work of several folders has done. */
interface Recorded {
  readonly queue: FolderQueue;
  readonly intent: HistoryIntent;
  readonly uids: Uids;
}

const NO_UIDS: Uids = { sessionInfoUid: null, groupStateUid: null };

export class Outbox implements HistoryPort {
  readonly #options: OutboxOptions;
  readonly #queues = new Registry<FolderQueue>();
  readonly #paused = new Set<FolderQueue>();
  readonly #retry: { readonly firstMs: number; readonly longestMs: number };
  #closed = false;
  /** Folders with work that waits for other work, and until when. */
  #gathered = new Set<FolderQueue>();
  #gathering: Timer | undefined;
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
    const queues = new Set<FolderQueue>();
    for (const intent of intents) {
      const queue = this.#queueOf(intent.folder);
      if (queue.ids.has(intent.id)) continue;
      queue.ids.add(intent.id);
      queue.intents.push(intent);
      if (!queue.busy) queues.add(queue);
    }
    if (this.#options.driver.together === undefined) for (const queue of queues) this.#work(queue);
    else this.#gather(queues);
  }

  #gather(queues: ReadonlySet<FolderQueue>): void {
    for (const queue of queues) this.#gathered.add(queue);
    if (this.#gathered.size === 0) return;
    if (this.#gathered.size >= MOST_GATHERED) this.#workGathered();
    else this.#gathering ??= this.#options.clock.schedule(GATHER_MS, { onTimer: () => this.#workGathered() }, 'gather');
  }

  #workGathered(): void {
    this.#gathering?.cancel();
    this.#gathering = undefined;
    const queues = [...this.#gathered];
    // Not cleared: V8 chains the tables of a set that is (see `registry.ts`).
    this.#gathered = new Set();
    for (let at = 0; at < queues.length; at += MOST_GATHERED) this.#workTogether(queues.slice(at, at + MOST_GATHERED));
  }

  /** The work of several folders in one write. Where a piece fails nothing of it is done, and each goes by itself. */
  #workTogether(queues: readonly FolderQueue[]): void {
    if (this.#closed) return;
    const free = queues.filter(({ busy }) => !busy);
    if (free.length < 2) return free.forEach((queue) => void this.#work(queue));
    const recorded: Recorded[] = [];
    try {
      this.#options.driver.together?.(() => {
        for (const queue of free) this.#recordAll(queue, recorded);
      });
    } catch {
      for (const queue of free) this.#work(queue);
      return;
    }
    // What the first outcome leads to may bring work for the folder of the second.
    for (const queue of free) queue.busy = true;
    for (const { queue, intent, uids } of recorded) this.#done(queue, [intent], { ok: true, ...uids });
    for (const queue of free) this.#next(queue);
  }

  /** Up to what has its content elsewhere. */
  #recordAll(queue: FolderQueue, recorded: Recorded[]): void {
    const { driver, rules } = this.#options;
    for (const intent of frontOf(queue, (intent) => intent.kind !== 'message' || intent.spooled === null)) {
      record(driver, rules, intent, (error, uids = NO_UIDS) => {
        if (error !== null) throw error;
        recorded.push({ queue, intent, uids });
      });
    }
  }

  #queueOf(folder: FolderRef): FolderQueue {
    const key = `${folder.user}\n${folder.conversationId}\n${folder.contributionId}`;
    let queue = this.#queues.get(key);
    if (queue === undefined) {
      queue = { key, intents: [], ids: new Set(), busy: false, pauseMs: this.#retry.firstMs, alone: 0 };
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
    const batch = this.#batchOf(queue);
    if (batch.length > 1) return this.#append(queue, batch);
    this.#complete(intent, (missing, complete) => {
      if (this.#closed) return;
      if (missing !== null) return this.#fail(queue, intent, missing.message);
      if (complete === undefined) return this.#finish(queue, [intent], DONE_BEFORE);
      this.#record(complete, (error, uids) => this.#settle(queue, [intent], error, uids));
    });
  }

  /** Messages at the front of the queue, as many as the store takes in one piece. */
  #batchOf(queue: FolderQueue): readonly MessageIntent[] {
    if (this.#options.driver.appendAll === undefined || queue.alone > 0) return [];
    return frontOf(queue, (intent) => intent.kind === 'message' && intent.spooled === null) as MessageIntent[];
  }

  #append(queue: FolderQueue, batch: readonly MessageIntent[]): void {
    const objects = batch.map(({ id, object }) => ({ key: id, object }));
    this.#options.driver.appendAll?.((batch[0] as MessageIntent).folder, objects, (error) =>
      this.#settle(queue, batch, error, NO_UIDS),
    );
  }

  /** What the store has said to a piece of work. */
  #settle(queue: FolderQueue, intents: readonly HistoryIntent[], error: Error | null, uids: Uids | undefined): void {
    if (this.#closed) return;
    const [first] = intents as [HistoryIntent];
    if (error instanceof StoreAway) return this.#storeAway(queue, first, error.message);
    this.#storeThere(queue);
    if (error === null && uids !== undefined) this.#finish(queue, intents, { ok: true, ...uids });
    else if (intents.length === 1) this.#fail(queue, first, error?.message ?? 'no answer');
    else {
      // All or nothing was stored, and it was nothing: what can be stored alone is, up to what can not.
      queue.alone = intents.length;
      this.#next(queue);
    }
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

  #finish(queue: FolderQueue, intents: readonly HistoryIntent[], outcome: HistoryOutcome): void {
    this.#done(queue, intents, outcome);
    this.#next(queue);
  }

  /** The queue's next piece of work. */
  #next(queue: FolderQueue): void {
    queue.busy = false;
    this.#work(queue);
  }

  #done(queue: FolderQueue, intents: readonly HistoryIntent[], outcome: HistoryOutcome): void {
    this.done += intents.length;
    this.lastError = null;
    queue.intents.splice(0, intents.length);
    queue.pauseMs = this.#retry.firstMs;
    queue.alone = Math.max(0, queue.alone - intents.length);
    for (const { id } of intents) queue.ids.delete(id);
    this.#options.forget(intents.map(({ id }) => id));
    for (const intent of intents) {
      if (intent.kind === 'message' && intent.spooled !== null) this.#options.spool?.remove(intent.spooled);
      this.#options.onOutcome(intent, outcome);
    }
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
    if (this.#paused.delete(queue)) this.#next(queue);
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
    this.#next(queue);
  }

  /** The store has answered this folder, if only with a refusal: the others go on. */
  #storeThere(queue: FolderQueue): void {
    if (this.#away?.probe !== queue) return;
    const { held } = this.#away;
    this.#away = undefined;
    for (const waiting of held) this.#next(waiting);
  }

  /** Tries everything that pauses at once, as before a shutdown. */
  retryNow(): void {
    this.#workGathered();
    this.#ask();
    for (const queue of [...this.#paused]) this.#resume(queue);
  }

  /** Stops working; what waits stays durable. */
  close(): void {
    this.#closed = true;
    this.#gathering?.cancel();
  }
}

/** Work at the front of a queue, as much of what fits as is done in one piece. */
function frontOf({ intents }: FolderQueue, fits: (intent: HistoryIntent) => boolean): HistoryIntent[] {
  const front: HistoryIntent[] = [];
  let bytes = 0;
  for (const intent of intents) {
    bytes += intent.object?.length ?? 0;
    if (!fits(intent) || front.length === MOST_AT_ONCE || bytes > MOST_BYTES_AT_ONCE) break;
    front.push(intent);
  }
  return front;
}
