/**
 * Documents of an XCAP server, kept: asked for again when they are old, by their entity tags; served as last known
 * while the server fails; asked for by one request at a time, however many wait; bounded in number and bytes.
 */
import type { Clock } from '../../time/clock.ts';
import { type FailureKind, XcapFailure } from './failure.ts';
import type { Question, Reply } from './request.ts';

export interface DocumentsOptions {
  readonly clock: Clock;
  readonly request: (question: Question) => Promise<Reply>;
  /** For how long a document counts without being asked for again, ms. */
  readonly maxAgeMs: number;
  /** For how long a document counts that can not be asked for, ms. */
  readonly staleMs: number;
  /** For how long nothing is asked after a failure, ms. */
  readonly pauseMs: number;
  /** Bytes of documents kept. */
  readonly cacheBytes: number;
  /** Requests at a time. */
  readonly maxRequests: number;
}

/** A document as one user sees it: what a server shows may depend on who asks (RFC 4825 8.2.5 and its access policy). */
export interface Place<T> {
  readonly url: string;
  /** On whose behalf it is asked for. */
  readonly identity: string | undefined;
  /** Throws, saying what is wrong. */
  readonly read: (text: string) => T;
}

/** What is known of a document now. */
export interface Known<T> {
  /** `due`: worth asking for. `current`: as the server has it. `last`: the last that is known, and asking is no use now. */
  readonly state: 'current' | 'due' | 'last';
  /** Null: there is no such document. Undefined: nothing is known. */
  readonly content: T | null | undefined;
}

export interface DocumentCounters {
  fetched: number;
  unchanged: number;
  absent: number;
  readonly failed: Partial<Record<FailureKind, number>>;
}

interface Entry {
  readonly content: unknown;
  readonly etag: string | undefined;
  readonly bytes: number;
  /** When it was last known to be so, ms since the epoch. */
  readonly at: number;
}

/** What an entry takes beside its text, and what is absent takes at all. */
const ENTRY_BYTES = 512;
/** Documents that failed of which we remember so. */
const MAX_FAILED = 10_000;

export class Documents {
  readonly counters: DocumentCounters = { fetched: 0, unchanged: 0, absent: 0, failed: {} };
  readonly #options: DocumentsOptions;
  /** In the order they were last used. */
  readonly #entries = new Map<string, Entry>();
  readonly #loading = new Map<string, Promise<void>>();
  /** Until when a document that failed is not asked for. */
  readonly #failed = new Map<string, number>();
  #pausedUntil = 0;
  #bytes = 0;
  /** The last failure, until something succeeds. */
  lastError: string | null = null;

  constructor(options: DocumentsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** What is known of a document now. What was heard after `since` is not asked for again, however short its life. */
  at<T>(place: Place<T>, since: number): Known<T> {
    const key = keyOf(place);
    const { clock, maxAgeMs, staleMs } = this.#options;
    const now = clock.now();
    const entry = this.#entries.get(key);
    if (entry !== undefined && (now - entry.at < maxAgeMs || entry.at >= since)) {
      this.#entries.delete(key);
      this.#entries.set(key, entry);
      return { state: 'current', content: entry.content as T | null };
    }
    const content = entry === undefined || now - entry.at > staleMs ? undefined : (entry.content as T | null);
    const resting = this.#pausedUntil > now || (this.#failed.get(key) ?? 0) > now;
    return { state: resting ? 'last' : 'due', content };
  }

  /** Asks for a document. Resolves when what is known is as good as it gets; never rejects. */
  load<T>(place: Place<T>): Promise<void> {
    const key = keyOf(place);
    const under = this.#loading.get(key);
    if (under !== undefined) return under;
    const loading = this.#load(key, place).finally(() => this.#loading.delete(key));
    this.#loading.set(key, loading);
    return loading;
  }

  async #load<T>(key: string, { url, identity, read }: Place<T>): Promise<void> {
    const { request, maxRequests } = this.#options;
    const known = this.#entries.get(key);
    try {
      if (this.#loading.size >= maxRequests) throw new XcapFailure('busy', `${maxRequests} requests wait for answers`);
      const reply = await request({ url, etag: known?.etag, identity });
      this.#keep(key, entryOf(reply, known, read, this.#options.clock.now()));
      this.#count(reply);
      this.#failed.delete(key);
      this.lastError = null;
    } catch (error) {
      this.#fail(key, error as Error);
    }
  }

  #count({ kind }: Reply): void {
    if (kind === 'document') this.counters.fetched++;
    else this.counters[kind]++;
  }

  #fail(key: string, error: Error): void {
    const failure = error instanceof XcapFailure ? error : new XcapFailure('malformed', error.message);
    const { failed } = this.counters;
    failed[failure.kind] = (failed[failure.kind] ?? 0) + 1;
    this.lastError = failure.message;
    const until = this.#options.clock.now() + this.#options.pauseMs;
    if (failure.ofServer) this.#pausedUntil = until;
    this.#failed.delete(key);
    this.#failed.set(key, until);
    if (this.#failed.size > MAX_FAILED) this.#failed.delete(this.#failed.keys().next().value as string);
  }

  #keep(key: string, entry: Entry): void {
    this.#forget(key);
    this.#entries.set(key, entry);
    this.#bytes += entry.bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#options.cacheBytes) break;
      this.#forget(oldest);
    }
  }

  #forget(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }
}

function entryOf<T>(reply: Reply, known: Entry | undefined, read: (text: string) => T, at: number): Entry {
  if (reply.kind === 'document') {
    return { content: read(reply.text), etag: reply.etag, bytes: ENTRY_BYTES + reply.text.length, at };
  }
  if (reply.kind === 'absent') return { content: null, etag: undefined, bytes: ENTRY_BYTES, at };
  if (known === undefined) throw new XcapFailure('status', 'it answers 304 to what was not asked so');
  return { ...known, at };
}

function keyOf({ url, identity }: Place<unknown>): string {
  return `${identity ?? ''} ${url}`;
}
