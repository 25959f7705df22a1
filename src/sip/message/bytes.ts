/**
 * Wire strings: the head of a SIP message as a string with one character per byte.
 *
 * SIP text is UTF-8 (RFC 3261 7), but what the stack does not touch has to leave as it came, byte for byte,
 * also where a peer's UTF-8 is broken. A one-to-one view keeps every byte and makes slicing cheap. Only what a
 * person will read is decoded, with {@link textOfWire}.
 */

interface NodeBufferLike {
  latin1Slice(start: number, end: number): string;
}
type BufferClass = {
  from(bytes: ArrayBufferLike, offset: number, length: number): NodeBufferLike;
  from(text: string, encoding: 'latin1'): Uint8Array;
  allocUnsafe(length: number): Uint8Array & { latin1Write(text: string, offset: number): number };
};

// Node's Buffer converts about ten times faster than a loop; a browser has only the loop.
const nodeBuffer = (globalThis as unknown as { Buffer?: BufferClass }).Buffer;

/** Bytes `start` to `end` (exclusive) as a wire string. */
export function wireOfBytes(bytes: Uint8Array, start = 0, end = bytes.length): string {
  if (nodeBuffer !== undefined) {
    const view = bytes as unknown as NodeBufferLike;
    if (typeof view.latin1Slice === 'function') return view.latin1Slice(start, end);
    return nodeBuffer.from(bytes.buffer, bytes.byteOffset, bytes.length).latin1Slice(start, end);
  }
  let wire = '';
  for (let at = start; at < end; at += 4096) {
    wire += String.fromCharCode(...bytes.subarray(at, Math.min(end, at + 4096)));
  }
  return wire;
}

/** The bytes of a wire string. Characters above 255 must not occur in one; they would be cut to a byte. */
export function bytesOfWire(wire: string): Uint8Array {
  if (nodeBuffer !== undefined) return nodeBuffer.from(wire, 'latin1');
  const bytes = new Uint8Array(wire.length);
  for (let at = 0; at < wire.length; at++) bytes[at] = wire.charCodeAt(at);
  return bytes;
}

// A byte order mark at the start of a value is a character of it, not of a file.
const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** A wire string as a person reads it: UTF-8 decoded. */
export function textOfWire(wire: string): string {
  return isAscii(wire) ? wire : UTF8.decode(bytesOfWire(wire));
}

/** Text of our own, such as a display name from configuration, as a wire string. */
export function wireOfText(text: string): string {
  return isAscii(text) ? text : wireOfBytes(new TextEncoder().encode(text));
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 127) return false;
  return true;
}

/** A space or a tab, the white space of a header line (RFC 3261 25.1 WSP). */
export function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** A set of characters, looked up by code. */
export type CharacterSet = Uint8Array;

/** The characters that `pattern`, the inside of a regular expression's brackets, names. */
export function characters(pattern: string): CharacterSet {
  const wanted = new RegExp(`[${pattern}]`);
  return Uint8Array.from({ length: 256 }, (_, code) => (wanted.test(String.fromCharCode(code)) ? 1 : 0));
}

export const DIGITS = characters('0-9');

/** Where the run of characters of this set ends that begins at `start`; `start` itself where none stands there. */
export function runEnd(wire: string, start: number, set: CharacterSet): number {
  let at = start;
  while (at < wire.length && set[wire.charCodeAt(at)] === 1) at++;
  return at;
}

/**
 * The digits from `start` to `end` (exclusive) as a number; undefined where something else stands there, or nothing. One
 * beyond all bounds is Infinity.
 */
export function decimal(wire: string, start = 0, end = wire.length): number | undefined {
  if (start >= end) return undefined;
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = wire.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value;
}

/** The one of a few texts that equals this; a look-up by hash would cost more than the first comparisons. */
export function oneOf(texts: readonly string[], wanted: string): string | undefined {
  for (const text of texts) if (text === wanted) return text;
  return undefined;
}

/** Tokens are compared without regard to case (RFC 3261 7.3.1); most peers write them the same way. */
export function sameIgnoringCase(left: string, right: string): boolean {
  return left === right || (left.length === right.length && left.toLowerCase() === right.toLowerCase());
}

/** A wire string without the blanks around it. `trim` would also take 0xA0, the last byte of many UTF-8 letters. */
export function trimBlanks(wire: string): string {
  return trimmedSlice(wire, 0, wire.length);
}

/** What stands from `start` to `end` (exclusive), without the blanks around it. */
export function trimmedSlice(wire: string, start: number, end: number): string {
  let first = start;
  let last = end;
  while (first < last && isBlank(wire.charCodeAt(first))) first++;
  while (last > first && isBlank(wire.charCodeAt(last - 1))) last--;
  return last - first === wire.length ? wire : wire.slice(first, last);
}

/** The bytes of a wire string with more bytes behind them, in one piece of memory. */
export function bytesOfPacket(wire: string, tail: Uint8Array): Uint8Array {
  if (tail.length === 0) return bytesOfWire(wire);
  if (nodeBuffer === undefined) return joinBytes(bytesOfWire(wire), tail);
  const bytes = nodeBuffer.allocUnsafe(wire.length + tail.length);
  bytes.latin1Write(wire, 0);
  bytes.set(tail, wire.length);
  return bytes;
}

/** Joins two byte runs; either may be empty. */
export function joinBytes(head: Uint8Array, tail: Uint8Array): Uint8Array {
  if (tail.length === 0) return head;
  if (head.length === 0) return tail;
  const joined = new Uint8Array(head.length + tail.length);
  joined.set(head);
  joined.set(tail, head.length);
  return joined;
}

export const NO_BYTES = new Uint8Array(0);
