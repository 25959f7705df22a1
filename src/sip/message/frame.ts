/** Cuts a byte stream into SIP messages by Content-Length (RFC 3261 18.3), keep-alives included (RFC 5626 3.5.1). */
import { decimal, NO_BYTES, wireOfBytes } from './bytes.ts';
import { headEnd, headerLineEnd, type Malformed, type MessageLimits, unfolded } from './parse.ts';

export type Frame =
  | { readonly kind: 'message'; readonly bytes: Uint8Array }
  /** The second CRLF of two: the peer asks whether the connection lives; the answer is one CRLF. */
  | { readonly kind: 'ping' }
  /** A CRLF: the answer to a ping of ours, the first half of a ping, or padding. */
  | { readonly kind: 'pong' }
  /** The stream can't be followed any further. `bytes` is the head, to answer it where it can be answered. */
  | { readonly kind: 'lost'; readonly fault: Malformed; readonly bytes: Uint8Array };

const CR = 0x0d;
const LF = 0x0a;
const LENGTH_NAME = /\r\n(?:content-length|l)[ \t]*:/gi;

/** State of one connection's inbound side. Holds at most one unfinished message, bounded by the limits. */
export class StreamFramer {
  readonly #limits: MessageLimits;
  /** Bytes received; those from `#start` to `#end` wait. What lies before is never written again: frames point at it. */
  #bytes: Uint8Array = NO_BYTES;
  #start = 0;
  #end = 0;
  /** How far the blank line has been looked for, so that a byte-by-byte sender costs linear time. */
  #searched = 0;
  /** Length of the message under way once its head is read; 0 before. */
  #total = 0;
  #halfPing = false;
  #lost = false;

  constructor(limits: MessageLimits) {
    this.#limits = limits;
  }

  /** Bytes that wait for the rest of their message. */
  get pendingBytes(): number {
    return this.#end - this.#start;
  }

  /**
   * Takes bytes as they came and gives every frame they complete. The bytes are the framer's from now on. After a
   * `lost` frame nothing more comes.
   */
  push(bytes: Uint8Array): Frame[] {
    if (this.#lost) return [];
    this.#append(bytes);
    const frames: Frame[] = [];
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) {
      frames.push(frame);
      if (frame.kind === 'lost') break;
    }
    return frames;
  }

  #append(bytes: Uint8Array): void {
    const waiting = this.pendingBytes;
    if (waiting === 0) {
      this.#bytes = bytes;
      this.#start = 0;
      this.#end = bytes.length;
      return;
    }
    if (this.#end + bytes.length > this.#bytes.length) {
      // Twice what is needed, so that however small the pieces are, each byte is copied a constant number of times.
      const larger = new Uint8Array(2 * (waiting + bytes.length));
      larger.set(this.#bytes.subarray(this.#start, this.#end));
      this.#bytes = larger;
      this.#start = 0;
      this.#end = waiting;
    }
    this.#bytes.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  #next(): Frame | undefined {
    if (this.pendingBytes === 0) return undefined;
    const first = this.#bytes[this.#start];
    if (this.#total === 0 && (first === CR || first === LF)) return this.#keepAlive();
    this.#halfPing = false;
    if (this.#total === 0) {
      const lost = this.#readHead();
      if (lost !== undefined) return lost;
    }
    if (this.#total === 0 || this.pendingBytes < this.#total) return undefined;
    return { kind: 'message', bytes: this.#take(this.#total) };
  }

  /** Finds out how long the message is, once its head is there. */
  #readHead(): Frame | undefined {
    const pending = this.#bytes.subarray(this.#start, this.#end);
    const end = headEnd(pending, Math.max(0, this.#searched - 3));
    this.#searched = pending.length;
    const { headBytes, bodyBytes } = this.#limits;
    // The blank line may still come right behind the longest head.
    if (end < 0 && pending.length < headBytes + 4) return undefined;
    if (end < 0 || end > headBytes) {
      return this.#lose('head-too-large', `head above ${headBytes} bytes`, pending.slice(0, headBytes));
    }
    const lengths = declaredLengths(wireOfBytes(pending, 0, end + 2));
    const bodyLength = lengths.length === 1 ? decimal(lengths[0] ?? '') : undefined;
    // RFC 3261 20.14: over a stream the header is required, since nothing else tells where the body ends.
    if (bodyLength === undefined) {
      const detail = lengths.length === 0 ? 'no Content-Length on a stream' : 'no usable Content-Length';
      return this.#lose('content-length', detail, pending.slice(0, end + 4));
    }
    if (bodyLength > bodyBytes) {
      const detail = `body of ${bodyLength} bytes, at most ${bodyBytes} allowed`;
      return this.#lose('body-too-large', detail, pending.slice(0, end + 4));
    }
    this.#total = end + 4 + bodyLength;
    return undefined;
  }

  #keepAlive(): Frame | undefined {
    if (this.pendingBytes < 2) return undefined;
    const whole = this.#bytes[this.#start] === CR && this.#bytes[this.#start + 1] === LF;
    this.#take(whole ? 2 : 1);
    // RFC 5626 3.5.1. A pong must be told at once, so the first half of a ping is told as one too.
    this.#halfPing = whole && !this.#halfPing;
    return { kind: this.#halfPing || !whole ? 'pong' : 'ping' };
  }

  #take(length: number): Uint8Array {
    const taken = this.#bytes.subarray(this.#start, this.#start + length);
    this.#start += length;
    this.#searched = 0;
    this.#total = 0;
    return taken;
  }

  #lose(code: Malformed['code'], detail: string, bytes: Uint8Array): Frame {
    this.#lost = true;
    this.#bytes = NO_BYTES;
    this.#start = 0;
    this.#end = 0;
    return { kind: 'lost', fault: { code, detail }, bytes };
  }
}

/** Values of all Content-Length lines of a head that ends with the CRLF of its last line. */
function declaredLengths(head: string): string[] {
  return [...head.matchAll(LENGTH_NAME)].map((match) => {
    const start = match.index + match[0].length;
    return unfolded(head.slice(start, headerLineEnd(head, start)));
  });
}
