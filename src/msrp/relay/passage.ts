/**
 * One chunk on its way through: in over one connection, out over another. A chunk that is there whole leaves as it came.
 * A longer one leaves while it comes in, in as many chunks as it takes: whenever something else has to be said on the
 * way out, it is interrupted and goes on behind it (RFC 4975 7.1.1). Nothing but what has just been read is held.
 */
import { type ByteRange, byteRangeText, WHOLE } from '../message/byte-range.ts';
import { bareEndLine, endLine } from '../message/compose.ts';
import { type ContinuationFlag, type MsrpHead, placeOfHeader } from '../message/head.ts';
import type { Exchange } from './exchange.ts';
import type { ChunkObserver } from './observer.ts';

/** The way out: a connection of the other side, with the paths of its session. */
export interface Outlet {
  /** Start line and paths of a new request. */
  start(id: string, method: string): string;
  /** A transaction id that is free, noted with the exchange its answer belongs to. */
  begin(exchange: Exchange | undefined): string;
  /** The last byte of the part has left: from here on its answer is awaited. */
  ended(id: string): void;
  /** Passes on a message whole, between others, under an id of ours: its lines and body from here to there. */
  passOn(
    method: string,
    bytes: Buffer,
    from: number,
    to: number,
    flag: ContinuationFlag,
    exchange: Exchange | undefined,
  ): void;
  /** Writes a message whole, between others. */
  whole(head: string, body: readonly Buffer[], tail: string): void;
  /** Opens a chunk that goes on; whatever was open is interrupted. */
  open(passage: Passage, head: string): void;
  /** More of the chunk that was opened last. */
  more(bytes: Buffer): void;
  /** Closes the chunk that was opened last. */
  close(tail: string): void;
}

const NOTHING = Buffer.alloc(0);
/** Stands for an array that nobody has needed yet; nothing is put into it. */
const NONE: Buffer[] = [];

export class Passage {
  readonly head: MsrpHead;
  readonly exchange: Exchange | undefined;
  readonly range: ByteRange;
  readonly #largest: number;
  readonly #observer: ChunkObserver | undefined;
  #outlet: Outlet | undefined;
  /** What came while nobody was there to take it, or since the last flush. */
  #waiting: Buffer[] = NONE;
  /** The first of it, where it is alone: nearly always all there is, and not worth an object of its own. */
  #only: Buffer | undefined;
  #onlyFrom = 0;
  #onlyTo = 0;
  /** Bytes of body received, and sent. */
  #received = 0;
  #sent = 0;
  /** Transaction of the chunk that is open on the way out. */
  #open: string | undefined;
  /** True once a part of it has left, so that it can't leave as it came any more. */
  #begun = false;
  #flag: ContinuationFlag | undefined;
  #over = false;

  /** `largest` in bytes of a whole message; without an outlet while nobody is there. */
  constructor(
    head: MsrpHead,
    range: ByteRange | undefined,
    exchange: Exchange | undefined,
    largest: number,
    observer: ChunkObserver | undefined,
    outlet: Outlet | undefined,
  ) {
    this.head = head;
    this.range = range ?? WHOLE;
    this.exchange = exchange;
    if (exchange !== undefined) exchange.passage = this;
    this.#largest = largest;
    this.#observer = observer;
    this.#outlet = outlet;
  }

  /** Bytes of body that have come in. */
  get received(): number {
    return this.#received;
  }

  /** Bytes of body: from here to there. */
  bytes(bytes: Buffer, from: number, to: number): void {
    if (this.#over) return;
    this.#received += to - from;
    const last = this.range.start - 1 + this.#received;
    if (last > this.#largest) this.refuse(413);
    // RFC 4975 7.1.1: a chunk carries what its range says, or less where it is interrupted.
    else if (last > (this.range.end ?? this.range.total ?? last)) this.refuse(400);
    else {
      this.#observer?.onBytes(bytes.subarray(from, to));
      this.#keep(bytes, from, to);
    }
  }

  #keep(bytes: Buffer, from: number, to: number): void {
    if (this.#outlet === undefined) {
      // It waits for longer than the bytes are there.
      this.#pieces().push(Buffer.from(bytes.subarray(from, to)));
      return;
    }
    if (this.#only !== undefined || this.#waiting !== NONE) {
      this.#pieces().push(bytes.subarray(from, to));
      return;
    }
    this.#only = bytes;
    this.#onlyFrom = from;
    this.#onlyTo = to;
  }

  /** What waits, as pieces. */
  #pieces(): Buffer[] {
    if (this.#waiting === NONE) this.#waiting = [];
    if (this.#only !== undefined) this.#waiting.push(this.#only.subarray(this.#onlyFrom, this.#onlyTo));
    this.#only = undefined;
    return this.#waiting;
  }

  /** All that has been read is here: what is not whole begins to leave. */
  flush(): void {
    this.head.keep();
    if (this.#over || this.#flag !== undefined || this.#outlet === undefined) return;
    this.#stream(this.#outlet, 1);
  }

  end(flag: ContinuationFlag): void {
    if (this.#over) return;
    this.#flag = flag;
    if (this.exchange !== undefined && this.#observer !== undefined) this.exchange.await();
    this.#observer?.onEnd(flag, (status) => this.exchange?.settle(status));
    if (this.#outlet !== undefined) this.#leave(this.#outlet, flag);
  }

  /** Somebody is there to take it. */
  go(outlet: Outlet): void {
    this.#outlet = outlet;
    if (this.#over) return;
    if (this.#flag === undefined) this.flush();
    else this.#leave(outlet, this.#flag);
  }

  /** It goes no further: the sender hears it, the receiver that the message is given up, if it has had any of it. */
  refuse(status: number): void {
    if (this.#over) return;
    this.abandon();
    this.exchange?.settle(status);
  }

  /** Gives it up on the way out, after its refusal or because its sender is gone. */
  abandon(): void {
    if (this.#over) return;
    this.#over = true;
    this.#only = undefined;
    this.#waiting = NONE;
    if (this.#flag === undefined) this.#observer?.onEnd('#', () => {});
    if (this.#outlet === undefined || this.#flag !== undefined) return;
    if (this.#open !== undefined) this.#closePart(this.#outlet, '#');
    // Interrupted: what the receiver has, it must not wait for the rest of.
    else if (this.#begun) this.#lastPart(this.#outlet, NOTHING, '#');
  }

  /** Something else has to be said: the chunk ends here and goes on in another. Called by the outlet. */
  interrupted(): void {
    if (this.#outlet !== undefined) this.#closePart(this.#outlet, '+');
  }

  /** The way out is gone, and with it the exchange of each part. */
  lost(): void {
    this.#open = undefined;
    this.#outlet = undefined;
    this.refuse(408);
  }

  // --- leaving -------------------------------------------------------------------------------------------------

  #leave(outlet: Outlet, flag: ContinuationFlag): void {
    if (this.#begun) {
      this.#stream(outlet, 0);
      this.#closePart(outlet, flag);
    } else this.#asItCame(outlet, flag);
    this.#over = true;
    this.exchange?.settle(200);
  }

  #asItCame(outlet: Outlet, flag: ContinuationFlag): void {
    const { head } = this;
    const only = this.#only;
    const from = only === undefined ? -1 : head.linesBefore(only, this.#onlyFrom);
    this.#sent = this.#received;
    if (only !== undefined && from >= 0) {
      // Lines and body stand together in what was read.
      this.#only = undefined;
      outlet.passOn(head.method, only, from, this.#onlyTo, flag, this.exchange);
      return;
    }
    const id = outlet.begin(this.exchange);
    const start = outlet.start(id, head.method) + head.lines;
    if (head.hasBody) outlet.whole(`${start}\r\n`, this.#pieces(), endLine(id, flag));
    else outlet.whole(start, this.#pieces(), bareEndLine(id, flag));
    this.#waiting = NONE;
    outlet.ended(id);
  }

  /**
   * Sends what waits, but for the last `kept` bytes: the part that ends the message must not be an empty one, and after
   * an interruption it could be.
   */
  #stream(outlet: Outlet, kept: number): void {
    const bytes = this.#pieces();
    const last = bytes.pop();
    if (last === undefined) return;
    const cut = last.length - kept;
    this.#waiting = kept === 0 ? NONE : [Buffer.from(last.subarray(cut))];
    if (cut > 0) bytes.push(cut === last.length ? last : last.subarray(0, cut));
    for (const piece of bytes) {
      this.#openPart(outlet);
      outlet.more(piece);
      this.#sent += piece.length;
    }
  }

  #openPart(outlet: Outlet): void {
    if (this.#open !== undefined) return;
    this.#begun = true;
    const id = outlet.begin(this.exchange);
    outlet.open(this, outlet.start(id, this.head.method) + this.#linesFrom(this.range.start + this.#sent));
    this.#open = id;
  }

  #closePart(outlet: Outlet, flag: ContinuationFlag): void {
    const id = this.#open;
    if (id === undefined) return;
    this.#open = undefined;
    outlet.close(endLine(id, flag));
    outlet.ended(id);
  }

  #lastPart(outlet: Outlet, bytes: Buffer, flag: ContinuationFlag): void {
    const id = outlet.begin(this.exchange);
    const lines = this.#linesFrom(this.range.start + this.#sent);
    outlet.whole(outlet.start(id, this.head.method) + lines, [bytes], endLine(id, flag));
    outlet.ended(id);
  }

  /** The header lines with a range that begins here and may be interrupted, and the blank line behind them. */
  #linesFrom(position: number): string {
    const { lines } = this.head;
    const range = `Byte-Range: ${byteRangeText(position, null, this.range.total)}\r\n`;
    const place = placeOfHeader(lines, 'byte-range');
    if (place === undefined) return `${range}${lines}\r\n`;
    return `${lines.slice(0, place.start)}${range}${lines.slice(place.end)}\r\n`;
  }
}
