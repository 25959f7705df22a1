/**
 * SIP or MSRP out of one direction of a connection. It may begin in the middle, and have gaps: then the next start line
 * is looked for. What is neither is given up after a while.
 */
import { type ContinuationFlag, headerIn, type MsrpHead } from '../../msrp/message/head.ts';
import { MsrpParser } from '../../msrp/message/parser.ts';
import { joinBytes, NO_BYTES, wireOfBytes } from '../../sip/message/bytes.ts';
import { StreamFramer } from '../../sip/message/frame.ts';
import { DEFAULT_LIMITS } from '../../sip/message/parse.ts';

/** A chunk of MSRP, or an answer to one. */
export interface MsrpSaid {
  readonly head: MsrpHead;
  /** Of the body, as far as it was captured. */
  readonly bytes: number;
  /** Null where its end was not captured. */
  readonly flag: ContinuationFlag | null;
}

export interface Hearer {
  sip(at: number, bytes: Uint8Array): void;
  msrp(at: number, said: MsrpSaid): void;
  /** The connection is encrypted: nothing can be read of it. */
  encrypted(): void;
}

/** A start line: of a SIP request, a SIP response, or MSRP. */
const START =
  /(?:[A-Za-z0-9._%!*+`'~-]{1,40} [^\s]{3,4096} SIP\/2\.0\r\n|SIP\/2\.0 \d{3} [^\r\n]*\r\n|MSRP [A-Za-z0-9][A-Za-z0-9.\-+%=]{3,31} (?:\d{3}(?: [^\r\n]*)?|[A-Z]{1,32})\r\n)/;
/** A first line that is longer belongs to nothing that is read here. */
const MAX_SEARCHED_BYTES = 65_536;
/** Of what is searched, so much is kept: a start line may have begun in it. */
const KEPT_BYTES = 4096;

export class Speech {
  readonly #hearer: Hearer;
  /** Takes the bytes of the protocol that was found; undefined while a start line is looked for. */
  #reader: ((at: number, bytes: Uint8Array) => void) | undefined;
  #searched: Uint8Array = NO_BYTES;
  #fruitless = 0;
  #givenUp = false;
  #opened = false;
  #spoken = false;
  /** The chunk that is being read. */
  #chunk: { head: MsrpHead; bytes: number } | undefined;
  #now = 0;

  constructor(hearer: Hearer) {
    this.#hearer = hearer;
  }

  /** True once something of SIP or MSRP was found. */
  get spoken(): boolean {
    return this.#spoken;
  }

  take(at: number, bytes: Uint8Array): void {
    this.#now = at;
    if (this.#givenUp) return;
    if (!this.#opened) {
      this.#opened = true;
      // A TLS record: handshake, version 3.x (RFC 8446 5.1).
      if (bytes[0] === 0x16 && bytes[1] === 0x03) return this.#giveUp();
    }
    if (this.#reader === undefined) this.#search(at, bytes);
    else this.#reader(at, bytes);
  }

  /** Bytes are missing here, or the stream is over. */
  cut(at: number): void {
    this.#now = at;
    this.#endChunk(null);
    this.#reader = undefined;
    this.#searched = NO_BYTES;
  }

  #giveUp(): void {
    this.#givenUp = true;
    this.#hearer.encrypted();
  }

  #search(at: number, bytes: Uint8Array): void {
    const all = joinBytes(this.#searched, bytes);
    const text = wireOfBytes(all);
    const found = START.exec(text);
    if (found === null) {
      this.#fruitless += bytes.length;
      this.#searched = all.slice(Math.max(0, all.length - KEPT_BYTES));
      if (this.#fruitless > MAX_SEARCHED_BYTES) {
        this.#givenUp = true;
        this.#searched = NO_BYTES;
      }
      return;
    }
    this.#fruitless = 0;
    this.#spoken = true;
    this.#searched = NO_BYTES;
    this.#reader = found[0].startsWith('MSRP ') ? this.#msrpReader() : this.#sipReader();
    this.#reader(at, all.slice(found.index));
  }

  #sipReader(): (at: number, bytes: Uint8Array) => void {
    const framer = new StreamFramer(DEFAULT_LIMITS);
    return (at, bytes) => {
      // The framer keeps what it is given.
      for (const frame of framer.push(bytes.slice())) {
        if (frame.kind === 'message') this.#hearer.sip(at, frame.bytes);
        else if (frame.kind === 'lost') this.cut(at);
      }
    };
  }

  #msrpReader(): (at: number, bytes: Uint8Array) => void {
    const parser = new MsrpParser(
      {
        onHead: (head) => {
          this.#chunk = { head, bytes: 0 };
        },
        onBody: (_bytes, from, to) => {
          if (this.#chunk !== undefined) this.#chunk.bytes += to - from;
        },
        onEnd: (flag) => this.#endChunk(flag),
        onBroken: () => this.cut(this.#now),
      },
      { headBytes: MAX_SEARCHED_BYTES },
    );
    return (_at, bytes) => parser.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }

  #endChunk(flag: ContinuationFlag | null): void {
    const chunk = this.#chunk;
    this.#chunk = undefined;
    if (chunk !== undefined) this.#hearer.msrp(this.#now, { ...chunk, flag });
  }
}

/** `SEND 9a3f (message/cpim, 312 B)`, `200 OK`, `REPORT`. */
export function msrpLabel({ head, bytes, flag }: MsrpSaid): string {
  const { method, status, lines } = head;
  if (method === '') return `MSRP ${status}`;
  const type = headerIn(lines, 'content-type');
  const end = flag === '+' ? ', more follows' : flag === '#' ? ', given up' : flag === null ? ', end not captured' : '';
  return `${method}${type === undefined ? '' : ` ${type.split(';', 1)[0]}`}${bytes === 0 && end === '' ? '' : ` ${bytes} B${end}`}`;
}
