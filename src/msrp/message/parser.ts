/**
 * MSRP out of a byte stream (RFC 4975 5.1, 7). Bodies are passed on as they come, as views of the bytes that were
 * given: a chunk of any size is never held. Each byte is looked at a bounded number of times, however the stream is cut.
 */
import { bytesOfWire, wireOfBytes } from '../../sip/message/bytes.ts';
import { type Beginning, type ContinuationFlag, MsrpHead, parseStartLine, readHead, type StartLine } from './head.ts';
import { isAt, Recognition } from './recognition.ts';

/** Told what was read, in the order of the stream. */
export interface MsrpSink {
  onHead(head: MsrpHead): void;
  /** The next bytes of the body, those from `from` to `to` of what was pushed. */
  onBody(bytes: Buffer, from: number, to: number): void;
  onEnd(flag: ContinuationFlag): void;
  /** What came is not MSRP any further; nothing more is read. */
  onBroken(fault: string): void;
}

export interface ParserLimits {
  /** Bytes of start line and headers. Two paths of some relays and CPIM-free headers stay far below. */
  readonly headBytes: number;
}

const CR = 0x0d;
const LF = 0x0a;
const DASH = 0x2d;
const DASHES = '-------';
const MSRP = [0x4d, 0x53, 0x52, 0x50, 0x20];
/** What stands before the transaction id of an end-line behind a body. */
const BOUNDARY = bytesOfWire(`\r\n${DASHES}`) as Buffer;
const FLAGS: Readonly<Record<number, ContinuationFlag>> = { 36: '$', 43: '+', 35: '#' };
/** Flag and CRLF behind the end-line's transaction id. */
const FLAG_BYTES = 3;
/** CRLF of the blank line between head and body. */
const BLANK_BYTES = 2;
const NOTHING = Buffer.alloc(0);

export class MsrpParser {
  readonly #sink: MsrpSink;
  readonly #limits: ParserLimits;
  /** The head that is not complete, or the end of a body that may be the front of its end-line. */
  #rest: Buffer = NOTHING;
  /** How far into `#rest` the head has been looked at: the start of a line. */
  #seen = 0;
  #start: StartLine | undefined;
  readonly #recognition = new Recognition();
  /** True where the head that is being read began as the one before. */
  #recognised = false;
  /** Transaction id of the message whose body is being read; undefined between bodies. */
  #bodyOf: string | undefined;
  /** CRLF and end-line of that body, up to its flag, once it has been asked for. */
  #boundary: Buffer | undefined;
  /** Bytes at the start of the body that are the head's blank line. */
  #skip = 0;
  #stopped = false;

  constructor(sink: MsrpSink, limits: ParserLimits) {
    this.#sink = sink;
    this.#limits = limits;
  }

  /** True where a message has been begun and not ended. */
  get unfinished(): boolean {
    return this.#bodyOf !== undefined || this.#rest.length > 0;
  }

  /** True while a body is being read. */
  get inBody(): boolean {
    return this.#bodyOf !== undefined;
  }

  get #endLine(): Buffer {
    this.#boundary ??= endLineOf(this.#bodyOf as string);
    return this.#boundary;
  }

  push(data: Buffer): void {
    let bytes = data;
    let at = 0;
    if (this.#rest.length > 0) {
      if (this.#bodyOf !== undefined) {
        at = this.#resolveTail(data);
        if (at < 0) return;
      } else {
        bytes = Buffer.concat([this.#rest, data]);
        this.#rest = NOTHING;
      }
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    while (at < bytes.length && !this.#stopped) {
      const next = this.#bodyOf === undefined ? this.#head(bytes, view, at) : this.#body(bytes, at);
      if (next < 0) return;
      at = next;
    }
  }

  /** Stops reading, for a sink that has closed the connection. */
  stop(): void {
    this.#stopped = true;
    this.#rest = NOTHING;
  }

  #broken(fault: string): number {
    this.stop();
    this.#sink.onBroken(fault);
    return -1;
  }

  // --- head ----------------------------------------------------------------------------------------------------

  /** Reads a head from `at`; where it goes on, or -1 where more has to come first. */
  #head(bytes: Buffer, view: DataView, at: number): number {
    let from = at;
    // A blank line between messages is no part of the grammar; some clients send one all the same.
    if (this.#seen === 0) {
      while (from < bytes.length && (bytes[from] === CR || bytes[from] === LF)) from++;
      this.#recognised = this.#recognition.sees(bytes, view, from);
      if (this.#recognised) this.#seen = this.#recognition.length;
    }
    let line = from + this.#seen;
    for (let end = lineFeed(bytes, line); end >= 0; end = lineFeed(bytes, line)) {
      if (end - from > this.#limits.headBytes) break;
      if (bytes[end - 1] !== CR) return this.#broken('a line that does not end with CRLF');
      if (this.#start === undefined && !this.#recognised) {
        this.#start = parseStartLine(wireOfBytes(bytes, from, end - 1));
        if (this.#start === undefined) return this.#broken('no start line of MSRP');
      } else if (end === line + 1) return this.#headDone(bytes, from, line, end + 1, undefined);
      else if (bytes[line] === DASH) {
        const flag = this.#endLineFlag(bytes, line, end - 1);
        if (flag !== undefined) return this.#headDone(bytes, from, line, end + 1, flag);
      }
      line = end + 1;
    }
    return this.#awaitHead(bytes, from, line);
  }

  #awaitHead(bytes: Buffer, from: number, line: number): number {
    if (bytes.length - from > this.#limits.headBytes) return this.#broken('the head is too large');
    for (let at = 0; at < MSRP.length && from + at < bytes.length; at++) {
      if (bytes[from + at] !== MSRP[at]) return this.#broken('no start line of MSRP');
    }
    // A copy, so that a few bytes do not keep the whole read alive.
    this.#rest = Buffer.from(bytes.subarray(from));
    this.#seen = line - from;
    return -1;
  }

  /** The flag, where the line is the end-line of this very message: a message without a body. */
  #endLineFlag(bytes: Buffer, line: number, end: number): ContinuationFlag | undefined {
    const id = this.#recognised ? this.#recognition.id : (this.#start?.id ?? '');
    if (end - line !== DASHES.length + id.length + 1) return undefined;
    if (!isAt(bytes, line, DASHES) || !isAt(bytes, line + DASHES.length, id)) return undefined;
    return FLAGS[bytes[end - 1] as number];
  }

  #headDone(bytes: Buffer, from: number, line: number, next: number, flag: ContinuationFlag | undefined): number {
    const head = this.#headRead(bytes, from, line, flag === undefined);
    this.#start = undefined;
    this.#seen = 0;
    this.#sink.onHead(head);
    if (flag !== undefined) {
      this.#sink.onEnd(flag);
      return next;
    }
    // The blank line is looked at with the body: an empty one is written with and without a CRLF of its own.
    this.#bodyOf = head.id;
    this.#skip = BLANK_BYTES;
    return next - BLANK_BYTES;
  }

  #headRead(bytes: Buffer, from: number, line: number, hasBody: boolean): MsrpHead {
    const { id, beginning, length } = this.#recognition;
    if (this.#recognised) return MsrpHead.of(id, beginning as Beginning, hasBody, bytes, from + length, line);
    const headers = wireOfBytes(bytes, bytes.indexOf(LF, from) + 1, line);
    const head = readHead(this.#start as StartLine, headers, hasBody);
    this.#recognition.learn(bytes, from, head);
    return head;
  }

  // --- body ----------------------------------------------------------------------------------------------------

  /** Reads body from `at`; where it goes on, or -1 where all is read. */
  #body(bytes: Buffer, at: number): number {
    const first = bytes.indexOf(BOUNDARY, at);
    if (first >= 0) {
      const end = first + BOUNDARY.length + (this.#bodyOf as string).length;
      const flag = isAt(bytes, first + BOUNDARY.length, this.#bodyOf as string) ? flagAt(bytes, end) : undefined;
      if (flag !== undefined) return this.#bodyDone(bytes, at, first, end + FLAG_BYTES, flag);
    }
    const endLine = this.#endLine;
    // What is not ours stands in the text, or is cut off.
    for (
      let found = first < 0 ? -1 : bytes.indexOf(endLine, first);
      found >= 0;
      found = bytes.indexOf(endLine, found + 1)
    ) {
      const end = found + endLine.length;
      if (end + FLAG_BYTES > bytes.length) break;
      const flag = flagAt(bytes, end);
      if (flag !== undefined) return this.#bodyDone(bytes, at, found, end + FLAG_BYTES, flag);
    }
    const kept = tailOf(bytes, at, endLine);
    this.#emit(bytes, at, kept);
    this.#rest = kept === bytes.length ? NOTHING : Buffer.from(bytes.subarray(kept));
    return -1;
  }

  #bodyDone(bytes: Buffer, from: number, to: number, next: number, flag: ContinuationFlag): number {
    this.#emit(bytes, from, to);
    this.#bodyOf = undefined;
    this.#boundary = undefined;
    this.#sink.onEnd(flag);
    return next;
  }

  /**
   * The body ended last time with what may be the front of its end-line. Looks at that and just enough of the new bytes
   * to know; where reading goes on in the new ones, or -1 where still more has to come.
   */
  #resolveTail(data: Buffer): number {
    const endLine = this.#endLine;
    const rest = this.#rest;
    const joint = Buffer.concat([rest, data.subarray(0, endLine.length + FLAG_BYTES)]);
    this.#rest = NOTHING;
    const found = joint.indexOf(endLine);
    const flag = found < 0 ? undefined : flagAt(joint, found + endLine.length);
    if (flag !== undefined && found < rest.length) {
      return this.#bodyDone(joint, 0, found, found + endLine.length + FLAG_BYTES, flag) - rest.length;
    }
    const kept = tailOf(joint, 0, endLine);
    if (kept < rest.length && joint.length === rest.length + data.length) {
      // All there is may still be the front of the end-line.
      this.#emit(joint, 0, kept);
      this.#rest = joint.subarray(kept);
      return -1;
    }
    this.#emit(rest, 0, rest.length);
    return 0;
  }

  #emit(bytes: Buffer, from: number, to: number): void {
    const start = Math.min(from + this.#skip, to);
    this.#skip -= start - from;
    if (to > start) this.#sink.onBody(bytes, start, to);
  }
}

/** Place of the next LF; -1 where there is none. Lines are short: a call out of the language costs more than looking. */
function lineFeed(bytes: Buffer, from: number): number {
  for (let at = from; at < bytes.length; at++) if (bytes[at] === LF) return at;
  return -1;
}

function endLineOf(id: string): Buffer {
  return bytesOfWire(`\r\n${DASHES}${id}`) as Buffer;
}

/** The flag where one and a CRLF stand. */
function flagAt(bytes: Buffer, at: number): ContinuationFlag | undefined {
  return bytes[at + 1] === CR && bytes[at + 2] === LF ? FLAGS[bytes[at] as number] : undefined;
}

/** Where the longest end of the bytes begins that may be the front of the end-line; their length where there is none. */
function tailOf(bytes: Buffer, from: number, endLine: Buffer): number {
  const whole = endLine.length + FLAG_BYTES;
  for (let at = Math.max(from, bytes.length - whole + 1); at < bytes.length; at++) {
    if (bytes[at] === CR && isFront(bytes, at, endLine)) return at;
  }
  return bytes.length;
}

function isFront(bytes: Buffer, from: number, endLine: Buffer): boolean {
  const length = bytes.length - from;
  const compared = Math.min(length, endLine.length);
  if (bytes.compare(endLine, 0, compared, from, from + compared) !== 0) return false;
  if (length > endLine.length && FLAGS[bytes[from + endLine.length] as number] === undefined) return false;
  return length <= endLine.length + 1 || bytes[from + endLine.length + 1] === CR;
}
