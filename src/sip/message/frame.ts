/** Cuts a byte stream into SIP messages by Content-Length (RFC 3261 18.3), keep-alives included (RFC 5626 3.5.1). */
import { joinBytes, NO_BYTES, wireOfBytes } from './bytes.ts';
import { headEnd, type Malformed, type MessageLimits } from './parse.ts';

export type Frame =
  | { readonly kind: 'message'; readonly bytes: Uint8Array }
  /** CRLF CRLF: the peer asks whether the connection lives; the answer is one CRLF. */
  | { readonly kind: 'ping' }
  /** CRLF: the answer to a ping of ours, or padding. */
  | { readonly kind: 'pong' }
  /** The stream can't be followed any further. `bytes` is the head, to answer it where it can be answered. */
  | { readonly kind: 'lost'; readonly fault: Malformed; readonly bytes: Uint8Array };

const CONTENT_LENGTH = /\r\n(?:content-length|l)[ \t]*:[ \t]*([^\r\n]*?)[ \t]*(?=\r\n)/gi;

/** State of one connection's inbound side. Holds at most one unfinished message, bounded by the limits. */
export class StreamFramer {
  readonly #limits: MessageLimits;
  #pending: Uint8Array = NO_BYTES;
  /** Where the search for the blank line goes on, so that a byte-by-byte sender costs linear time. */
  #searched = 0;
  #lost = false;

  constructor(limits: MessageLimits) {
    this.#limits = limits;
  }

  /** Bytes that wait for the rest of their message. */
  get pendingBytes(): number {
    return this.#pending.length;
  }

  /** Takes bytes as they came and gives every frame they complete. After a `lost` frame nothing more comes. */
  push(bytes: Uint8Array): Frame[] {
    if (this.#lost) return [];
    this.#pending = joinBytes(this.#pending, bytes);
    const frames: Frame[] = [];
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) {
      frames.push(frame);
      if (frame.kind === 'lost') break;
    }
    return frames;
  }

  #next(): Frame | undefined {
    const pending = this.#pending;
    if (pending.length === 0) return undefined;
    if (pending[0] === 0x0d || pending[0] === 0x0a) return this.#keepAlive();
    const end = headEnd(pending, Math.max(0, this.#searched - 3));
    if (end < 0 || end > this.#limits.headBytes) {
      this.#searched = pending.length;
      if (pending.length <= this.#limits.headBytes && end < 0) return undefined;
      return this.#lose(
        { code: 'head-too-large', detail: `head above ${this.#limits.headBytes} bytes` },
        pending.slice(0, this.#limits.headBytes),
      );
    }
    return this.#cut(end);
  }

  #cut(end: number): Frame | undefined {
    const head = wireOfBytes(this.#pending, 0, end + 2);
    const lengths = [...head.matchAll(CONTENT_LENGTH)].map((match) => match[1] ?? '');
    const declared = lengths[0];
    // RFC 3261 20.14: over a stream the header is required, since nothing else tells where the body ends.
    if (declared === undefined || lengths.length > 1 || !/^\d{1,10}$/.test(declared)) {
      const detail = declared === undefined ? 'no Content-Length on a stream' : 'no usable Content-Length';
      return this.#lose({ code: 'content-length', detail }, this.#pending.slice(0, end + 4));
    }
    const bodyLength = Number(declared);
    if (bodyLength > this.#limits.bodyBytes) {
      const detail = `body of ${bodyLength} bytes, at most ${this.#limits.bodyBytes} allowed`;
      return this.#lose({ code: 'body-too-large', detail }, this.#pending.slice(0, end + 4));
    }
    const total = end + 4 + bodyLength;
    this.#searched = end;
    if (this.#pending.length < total) return undefined;
    return { kind: 'message', bytes: this.#take(total) };
  }

  #keepAlive(): Frame | undefined {
    const pending = this.#pending;
    if (pending.length < 2) return undefined;
    if (pending.length >= 4 && pending[1] === 0x0a && pending[2] === 0x0d && pending[3] === 0x0a) {
      this.#take(4);
      return { kind: 'ping' };
    }
    // Two bytes may be the first half of a ping; whether it is decides the next byte.
    if (pending.length === 3 && pending[2] === 0x0d) return undefined;
    this.#take(pending[0] === 0x0d && pending[1] === 0x0a ? 2 : 1);
    return { kind: 'pong' };
  }

  #take(length: number): Uint8Array {
    const taken = this.#pending.subarray(0, length);
    this.#pending = this.#pending.subarray(length);
    this.#searched = 0;
    return taken;
  }

  #lose(fault: Malformed, bytes: Uint8Array): Frame {
    this.#lost = true;
    this.#pending = NO_BYTES;
    return { kind: 'lost', fault, bytes };
  }
}
