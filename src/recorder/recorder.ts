/**
 * Records what passes through the relay: each message of a recorded session becomes one object of its history, however
 * it was chunked, in the order in which the messages were complete (digest 3.3). Its sender gets the 200 for the last
 * chunk when the object is where a crash can't lose it.
 */
import type { LegName } from '../../machines/session/context.ts';
import { type CpimHead, isComposing, isNotification, parseCpimHead } from '../cpim/cpim.ts';
import type { ChatMessage } from '../engine/ports.ts';
import { type ContinuationFlag, headerIn } from '../msrp/message/head.ts';
import type { ChunkObserver, Observe, PassingChunk } from '../msrp/relay/observer.ts';
import { wireOfBytes } from '../sip/message/bytes.ts';
import { type Assembled, Assembly } from './assembly.ts';
import type { Spool } from './spool.ts';

export interface RecorderRules {
  /** `stored`: the sender's 200 waits until the message is stored durably; `received`: it does not. */
  readonly acknowledge: 'stored' | 'received';
  /** Whether delivery and display notifications are recorded as well. */
  readonly notifications: boolean;
  /** Longer messages wait in the spool, not in memory. */
  readonly memoryBytes: number;
}

export interface RecorderOptions {
  readonly rules: RecorderRules;
  readonly spool: Spool;
  /** Whether this session is recorded. */
  readonly wanted: (session: string) => boolean;
  /** Stores a message; `done` when that is durable, or can't be had. */
  readonly record: (session: string, from: LegName, message: ChatMessage, done: () => void) => void;
  /** A message of the session can't be recorded. */
  readonly lost: (session: string, why: string) => void;
}

export interface RecorderCounters {
  /** Messages handed to the history, and those of them that went through the spool. */
  recorded: number;
  spooled: number;
  /** Of a kind that is not recorded: isComposing, notifications where policy says so. */
  leftOut: number;
  /** Given up by their senders, or cut off by the end of the session. */
  abandoned: number;
  /** Complete, but not recorded: the disk, or bytes that went to another process. */
  lost: number;
}

/** Messages of one session that may be under way at once. More than that no client sends. */
const MOST_UNDER_WAY = 64;

/** What is under way in one session. */
interface Recording {
  readonly open: Map<string, Assembly>;
  /** Work that waits until the message before it has been handed over. */
  readonly queue: (() => void)[];
  busy: boolean;
}

/** For one message too many: its sender shall stop (RFC 4975 10.5). */
const TOO_MANY: ChunkObserver = { onBytes() {}, onEnd: (_flag, done) => done(413) };

export class Recorder {
  readonly counters: RecorderCounters = { recorded: 0, spooled: 0, leftOut: 0, abandoned: 0, lost: 0 };
  readonly #options: RecorderOptions;
  readonly #sessions = new Map<string, Recording>();
  #files = 0;

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  /** Messages that are not complete yet. */
  get underWay(): number {
    let count = 0;
    for (const { open } of this.#sessions.values()) count += open.size;
    return count;
  }

  readonly observe: Observe = (chunk) => {
    if (!this.#options.wanted(chunk.session)) return undefined;
    const recording = this.#recording(chunk.session);
    const key = `${chunk.stream} ${chunk.from} ${chunk.messageId}`;
    const known = recording.open.get(key);
    if (known === undefined && recording.open.size >= MOST_UNDER_WAY) return TOO_MANY;
    const assembly = known ?? this.#begin(chunk);
    if (known === undefined) recording.open.set(key, assembly);
    let position = chunk.range.start - 1;
    const from = position;
    return {
      onBytes: (bytes) => {
        assembly.put(bytes, position);
        position += bytes.length;
      },
      onEnd: (flag, done) => {
        if (flag === '$') assembly.ended(chunk.range, position - from);
        if (flag === '+') return done(200);
        recording.open.delete(key);
        this.#over(recording, chunk, assembly, flag, done);
      },
    };
  };

  /** The session is over: what is not complete never will be. */
  end(session: string): void {
    const recording = this.#sessions.get(session);
    if (recording === undefined) return;
    this.#sessions.delete(session);
    for (const assembly of recording.open.values()) {
      this.counters.abandoned++;
      assembly.discard();
    }
  }

  #recording(session: string): Recording {
    let recording = this.#sessions.get(session);
    if (recording === undefined) {
      recording = { open: new Map(), queue: [], busy: false };
      this.#sessions.set(session, recording);
    }
    return recording;
  }

  #begin(chunk: PassingChunk): Assembly {
    const { rules, spool } = this.#options;
    // A number, not the Message-ID: that comes from a stranger.
    const name = (): string => `${chunk.session}-${process.pid}-${++this.#files}`;
    return new Assembly(chunk.lines, { memoryBytes: rules.memoryBytes, spool: () => spool.create(name()) });
  }

  #over(
    recording: Recording,
    chunk: PassingChunk,
    assembly: Assembly,
    flag: ContinuationFlag,
    done: (status: number) => void,
  ): void {
    if (flag === '#') {
      this.counters.abandoned++;
      assembly.discard();
      done(200);
    } else if (assembly.failed !== undefined) {
      // A call is worth more than its copy: the message goes on, and it can be seen that it is missing.
      this.#lose(chunk.session, assembly, assembly.failed.message);
      done(200);
    } else if (assembly.whole) this.#inTurn(recording, chunk, assembly, done);
    else {
      // The sender goes on with what it began elsewhere, before a restart perhaps: it has to send all of it again.
      this.#lose(chunk.session, assembly, 'bytes of it are missing');
      done(408);
    }
  }

  /** One message after the other, so that a short one does not overtake a long one on its way to the disk. */
  #inTurn(recording: Recording, chunk: PassingChunk, assembly: Assembly, done: (status: number) => void): void {
    recording.queue.push(() => {
      recording.busy = true;
      assembly.finish((error, message) => {
        recording.busy = false;
        if (error !== null || message === undefined) {
          this.#lose(chunk.session, assembly, error?.message ?? 'not whole');
          done(200);
        } else this.#handOver(chunk, assembly, message, done);
        this.#next(recording);
      });
    });
    if (!recording.busy) this.#next(recording);
  }

  #next(recording: Recording): void {
    if (!recording.busy) recording.queue.shift()?.();
  }

  #handOver(chunk: PassingChunk, assembly: Assembly, message: Assembled, done: (status: number) => void): void {
    const { rules, record } = this.#options;
    const contentType = headerIn(assembly.lines, 'content-type') ?? 'application/octet-stream';
    const beginning = wireOfBytes(message.beginning);
    const cpim = /^message\/cpim\b/i.test(contentType) ? parseCpimHead(beginning) : undefined;
    if (message.bytes === 0 || this.#isLeftOut(cpim, contentType)) {
      this.counters.leftOut++;
      assembly.discard();
      return done(200);
    }
    this.counters.recorded++;
    const { file } = message;
    if (file !== undefined) this.counters.spooled++;
    const { messageId } = chunk;
    const content = file === undefined ? beginning : '';
    const waits = rules.acknowledge === 'stored';
    record(chunk.session, chunk.from, { messageId, contentType, cpim, content, spooled: file?.name ?? null }, () => {
      if (waits) done(200);
    });
    if (!waits) done(200);
  }

  #isLeftOut(cpim: CpimHead | undefined, contentType: string): boolean {
    if (cpim === undefined) return /^application\/im-iscomposing\+xml\b/i.test(contentType);
    return isComposing(cpim) || (isNotification(cpim) && !this.#options.rules.notifications);
  }

  #lose(session: string, assembly: Assembly, why: string): void {
    this.counters.lost++;
    assembly.discard();
    this.#options.lost(session, why);
  }
}
