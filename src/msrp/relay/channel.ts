/**
 * One MSRP connection of the relay: what comes in is judged and passed on, what goes out is put between other things
 * properly. A peer that reads slowly makes those wait who send to it, and nobody else.
 */
import type { Clock, Timer, TimerOwner } from '../../time/clock.ts';
import type { Carrier, CarrierUser } from '../carrier.ts';
import type { MsrpCounters } from '../counters.ts';
import type { MsrpLimits } from '../limits.ts';
import { respondTo } from '../message/answering.ts';
import { type ByteRange, WHOLE } from '../message/byte-range.ts';
import { type ContinuationFlag, failureReportOf, headerIn, type MsrpHead } from '../message/head.ts';
import type { MsrpIdentifiers } from '../message/identifiers.ts';
import { MsrpParser, type MsrpSink } from '../message/parser.ts';
import type { SendHeaders } from '../message/send-headers.ts';
import type { Binding } from './binding.ts';
import { Exchange } from './exchange.ts';
import type { Observe } from './observer.ts';
import { type Outlet, Passage } from './passage.ts';
import { Pending } from './pending.ts';

/** What a connection asks of the relay. */
export interface ChannelHost {
  readonly clock: Clock;
  /** When the bytes that are being passed on came, ms since the epoch: for each message the clock is too dear. */
  now: number;
  readonly limits: MsrpLimits;
  readonly counters: MsrpCounters;
  readonly identifiers: MsrpIdentifiers;
  /** The binding a request is for, now on this connection; or why not. */
  claim(head: MsrpHead, channel: Channel): Binding | 481 | 506;
  /** Chunks wait for the peer of this binding. */
  want(binding: Binding): void;
  /** Undefined where nobody looks. */
  readonly observe: Observe | undefined;
  /** Something was written to it that has to be flushed. */
  touched(channel: Channel): void;
  /** Flushes all that was touched. */
  flush(): void;
  opened(channel: Channel): void;
  closed(channel: Channel, reason: string): void;
}

/** RFC 4975 7.1.2: a REPORT is never answered. */
const REPORTED: SendHeaders = {
  hasMessageId: false,
  range: undefined,
  hasContentType: false,
  failureReport: 'no',
};

const END = { $: '$\r\n', '+': '+\r\n', '#': '#\r\n' } as const;

/** What becomes of the request that is coming in. */
type Fate = Passage | number | undefined;

export class Channel implements CarrierUser, MsrpSink, TimerOwner {
  readonly carrier: Carrier;
  readonly bindings = new Set<Binding>();
  /** The binding it was opened for, where we opened it. */
  dialledFor: Binding | undefined;
  readonly #host: ChannelHost;
  readonly #parser: MsrpParser;
  readonly #pending: Pending;
  #head: MsrpHead | undefined;
  #fate: Fate;
  #binding: Binding | undefined;
  readonly #outlets = new Map<Binding, Outlet>();
  /** The chunk that is open on the way out. */
  #outgoing: Passage | undefined;
  /** Whom this connection has fed since the bytes came. */
  #fed: Channel[] = [];
  /** Connections that wait until this one can take more. */
  readonly #feeders = new Set<Channel>();
  /** How many connections or sessions this one waits for. */
  #holds = 0;
  #ended = false;
  /** True where it was closed for want of traffic: its sessions go on without it. */
  idle = false;
  #progress = false;
  // Times are ms since the epoch.
  #lastActive: number;
  #unfinishedSince = 0;
  readonly #openedAt: number;
  #watch: Timer;

  constructor(host: ChannelHost, carrier: Carrier) {
    this.#host = host;
    this.carrier = carrier;
    this.#parser = new MsrpParser(this, host.limits);
    this.#pending = new Pending(host.limits.pending, host.identifiers.token());
    this.#openedAt = host.clock.now();
    this.#lastActive = this.#openedAt;
    this.#watch = host.clock.schedule(this.#nextLook(), this, 'watch');
  }

  get open(): boolean {
    return !this.#ended && this.carrier.open;
  }

  /** Requests of ours whose answer is awaited. */
  get pending(): number {
    return this.#pending.size;
  }

  // --- the connection ------------------------------------------------------------------------------------------

  onOpen(): void {
    this.#host.now = this.#host.clock.now();
    this.#host.opened(this);
    this.#host.flush();
  }

  onData(bytes: Buffer): void {
    if (this.#ended) return;
    const now = this.#host.clock.now();
    this.#host.now = now;
    this.#lastActive = now;
    this.#parser.push(bytes);
    if (this.#fate instanceof Passage) this.#fate.flush();
    this.#head?.keep();
    if (!this.#parser.unfinished) this.#unfinishedSince = 0;
    else if (this.#unfinishedSince === 0 || this.#progress || this.#parser.inBody) this.#unfinishedSince = now;
    this.#progress = false;
    this.#host.flush();
    const fed = this.#fed;
    this.#fed = [];
    for (const other of fed) this.#waitFor(other);
  }

  onDrain(): void {
    this.#letFeed();
    this.#host.flush();
  }

  onClosed(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#parser.stop();
    this.#watch.cancel();
    if (this.#fate instanceof Passage) this.#fate.abandon();
    this.#fate = undefined;
    this.#outgoing?.lost();
    this.#outgoing = undefined;
    this.#pending.fail(408);
    this.#letFeed();
    this.#host.closed(this, reason);
    this.#host.flush();
  }

  /** Sends what was written. */
  flushed(): void {
    if (!this.#ended) this.carrier.flush();
  }

  /** A session leaves the connection. */
  leave(binding: Binding): void {
    this.bindings.delete(binding);
    this.#outlets.delete(binding);
  }

  /** Ends it from our side. */
  close(gently: boolean): void {
    if (!this.#ended) this.carrier.close(gently);
  }

  // --- back-pressure -------------------------------------------------------------------------------------------

  get #congested(): boolean {
    return this.open && (this.carrier.full || this.#pending.full);
  }

  #waitFor(other: Channel): void {
    if (!other.#congested || other.#feeders.has(this)) return;
    other.#feeders.add(this);
    this.hold();
  }

  #letFeed(): void {
    if (this.#feeders.size === 0 || this.#congested) return;
    const feeders = [...this.#feeders];
    this.#feeders.clear();
    for (const feeder of feeders) feeder.letGo();
  }

  /** Reads no further until as many `letGo` have come. */
  hold(): void {
    if (this.#holds++ === 0) this.carrier.pause();
  }

  letGo(): void {
    if (--this.#holds > 0 || this.#ended) return;
    // What was not read meanwhile is no stall of the peer's.
    this.#lastActive = this.#host.clock.now();
    if (this.#unfinishedSince > 0) this.#unfinishedSince = this.#lastActive;
    this.carrier.resume();
  }

  // --- what comes in -------------------------------------------------------------------------------------------

  onHead(head: MsrpHead): void {
    this.#head = head;
    if (head.status !== 0) {
      this.#pending.settle(head.id, head.status);
      this.#fate = undefined;
      this.#letFeed();
      return;
    }
    this.#fate = this.#judge(head);
  }

  onBody(bytes: Buffer, from: number, to: number): void {
    if (this.#fate instanceof Passage) this.#fate.bytes(bytes, from, to);
  }

  onEnd(flag: ContinuationFlag): void {
    const head = this.#head as MsrpHead;
    const fate = this.#fate;
    // With it the bytes it was read from, which an idle connection must not keep.
    this.#head = undefined;
    this.#fate = undefined;
    this.#progress = true;
    if (fate instanceof Passage) {
      fate.end(flag);
      this.#count(fate, flag);
    } else if (fate !== undefined) this.#answer(head, fate);
  }

  onBroken(): void {
    this.#refused(400);
    this.close(true);
  }

  #judge(head: MsrpHead): Passage | number | undefined {
    if (head.fault !== undefined) return 400;
    const binding = this.#claimed(head);
    if (typeof binding === 'number') return binding;
    this.#binding = binding;
    if (head.method === 'REPORT') return this.#passOn(head, binding, REPORTED, undefined);
    if (head.method !== 'SEND') return 501;
    const headers = head.sendHeaders;
    // RFC 4975 5.4: a SEND without content only says which session the connection is for.
    if (!head.hasBody && !headers.hasContentType) return 200;
    if (!headers.hasMessageId) return 400;
    const { range } = headers;
    if (range === null) return 400;
    if ((range?.total ?? 0) > this.#host.limits.messageBytes) return 413;
    return this.#passOn(head, binding, headers, range);
  }

  /** RFC 4975 7.3: which session it is for. Nearly always the same as before. */
  #claimed(head: MsrpHead): Binding | 481 | 506 {
    const last = this.#binding;
    if (last?.channel === this && last.uri === head.toPath && last.toPath === head.fromPath) return last;
    return this.#host.claim(head, this);
  }

  #passOn(
    head: MsrpHead,
    binding: Binding,
    headers: SendHeaders,
    range: ByteRange | undefined,
  ): Passage | number | undefined {
    const { far } = binding;
    const isReport = head.method === 'REPORT';
    if (far === undefined) return isReport ? undefined : 408;
    const { failureReport } = headers;
    const exchange = failureReport === 'no' ? undefined : new Exchange(head, failureReport, this);
    const channel = far.channel?.open === true ? far.channel : undefined;
    const { messageBytes } = this.#host.limits;
    const observer = isReport ? undefined : this.#observer(head, binding, range);
    const passage = new Passage(head, range, exchange, messageBytes, observer, channel?.outletOf(far));
    if (channel === undefined) this.#awaitPeer(far, passage);
    else if (!this.#fed.includes(channel)) this.#fed.push(channel);
    return passage;
  }

  /** The peer is not connected: its chunk waits, and so does the one who sends it. */
  #awaitPeer(far: Binding, passage: Passage): void {
    passage.head.keep();
    far.waiting.push(passage);
    if (!far.holding.has(this)) {
      far.holding.add(this);
      this.hold();
    }
    this.#host.want(far);
  }

  #observer(head: MsrpHead, { key }: Binding, range: ByteRange | undefined) {
    const { observe } = this.#host;
    if (observe === undefined) return undefined;
    const messageId = headerIn(head.lines, 'message-id') ?? '';
    const { session, stream, leg: from } = key;
    const observer = observe({ session, stream, from, messageId, range: range ?? WHOLE, lines: head.lines });
    if (observer === undefined) return undefined;
    return {
      onBytes: (bytes: Buffer) => observer.onBytes(bytes),
      onEnd: (flag: ContinuationFlag, done: (status: number) => void) =>
        observer.onEnd(flag, (status) => {
          done(status);
          // It may come at any time, when nothing else would send the answer.
          this.#host.flush();
        }),
    };
  }

  #count(passage: Passage, flag: ContinuationFlag): void {
    const { counters } = this.#host;
    if (passage.head.method === 'REPORT') {
      counters.reports++;
      return;
    }
    counters.chunks++;
    counters.bytes += passage.received;
    if (this.#binding !== undefined) this.#binding.bytes += passage.received;
    if (flag !== '$') return;
    counters.messages++;
    if (this.#binding !== undefined) this.#binding.messages++;
  }

  #answer(head: MsrpHead, status: number): void {
    if (status !== 200) this.#refused(status);
    respondTo(head, status, failureReportOf(head.lines), this);
  }

  #refused(status: number): void {
    const { refusedRequests } = this.#host.counters;
    refusedRequests[status] = (refusedRequests[status] ?? 0) + 1;
  }

  // --- what goes out -------------------------------------------------------------------------------------------

  /** A message of its own, between others. */
  message(text: string): void {
    if (!this.open) return;
    this.#interrupt();
    this.carrier.write(text);
    this.#host.touched(this);
  }

  answer(id: string, between: string): void {
    if (!this.open) return;
    this.#interrupt();
    const { carrier } = this;
    carrier.write('MSRP ');
    carrier.write(id);
    carrier.write(between);
    carrier.write(id);
    carrier.write('$\r\n');
    this.#host.touched(this);
  }

  #interrupt(): void {
    this.#outgoing?.interrupted();
    this.#outgoing = undefined;
  }

  /** The way to the peer of one of the sessions on this connection. */
  outletOf(binding: Binding): Outlet {
    const known = this.#outlets.get(binding);
    if (known !== undefined) return known;
    const outlet: Outlet = {
      start: (id, method) => binding.start(id, method),
      begin: (exchange) => this.#pending.idOf(this.#pending.begin(exchange, 0)),
      ended: (id) => this.#pending.ended(id, this.#host.clock.now()),
      passOn: (method, bytes, from, to, flag, exchange) => {
        const number = String(this.#pending.begin(exchange, this.#host.now));
        if (!this.open) return;
        this.#interrupt();
        const { carrier } = this;
        const { prefix } = this.#pending;
        carrier.write('MSRP ');
        carrier.write(prefix);
        carrier.write(number);
        carrier.write(binding.behind(method));
        carrier.writePart(bytes, from, to);
        carrier.write('\r\n-------');
        carrier.write(prefix);
        carrier.write(number);
        carrier.write(END[flag]);
        this.#host.touched(this);
      },
      whole: (head, body, tail) => {
        this.message(head);
        if (!this.open) return;
        for (const piece of body) this.carrier.writeBytes(piece);
        this.carrier.write(tail);
      },
      open: (passage, head) => {
        this.message(head);
        this.#outgoing = passage;
      },
      more: (bytes) => {
        if (!this.open) return;
        this.carrier.writeBytes(bytes);
        this.#host.touched(this);
      },
      close: (tail) => {
        this.#outgoing = undefined;
        if (!this.open) return;
        this.carrier.write(tail);
        this.#host.touched(this);
      },
    };
    this.#outlets.set(binding, outlet);
    return outlet;
  }

  // --- deadlines -----------------------------------------------------------------------------------------------

  #nextLook(): number {
    const { openMs, stallMs, responseMs } = this.#host.limits;
    return Math.min(openMs, stallMs, responseMs) / 4;
  }

  onTimer(): void {
    const now = this.#host.clock.now();
    const { limits, counters } = this.#host;
    this.#pending.expire(now - limits.responseMs);
    this.#letFeed();
    this.#host.flush();
    if (this.#ended) return;
    this.#watch = this.#host.clock.schedule(this.#nextLook(), this, 'watch');
    if (this.bindings.size === 0 && now - this.#openedAt >= limits.openMs) {
      counters.closedUnbound++;
      this.close(false);
    } else if (this.#holds === 0 && this.#unfinishedSince > 0 && now - this.#unfinishedSince >= limits.stallMs) {
      counters.closedStalled++;
      this.close(false);
    } else if (this.#holds === 0 && this.#feeders.size === 0 && now - this.#lastActive >= limits.idleMs) {
      counters.closedIdle++;
      this.idle = true;
      this.close(true);
    }
  }
}
