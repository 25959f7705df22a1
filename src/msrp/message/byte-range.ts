/** Byte-Range (RFC 4975 7.1.1, 9): which bytes of the whole message a chunk carries. */
import { bytesOfWire } from '../../sip/message/bytes.ts';

export interface ByteRange {
  /** Position of the first byte, from 1. */
  readonly start: number;
  /** Position of the last byte; null for `*`, where the sender may interrupt itself. */
  readonly end: number | null;
  /** Bytes of the whole message; null for `*`. */
  readonly total: number | null;
}

/** RFC 4975 7.3.1: what a chunk without the header is. */
export const WHOLE: ByteRange = { start: 1, end: null, total: null };

const STAR = 0x2a;
const DASH = 0x2d;
const SLASH = 0x2f;
/** Numbers with more digits are not exact any more. */
const MOST_DIGITS = 15;

/** The same as {@link readByteRange}, of a text with blanks around it. */
export function parseByteRange(text: string): ByteRange | undefined {
  const bytes = bytesOfWire(text.trim());
  return readByteRange(bytes, 0, bytes.length);
}

/**
 * Undefined for what is no range, and for one that contradicts itself: position 0, an end before the start, bytes
 * beyond the total. `1-0/0` is the range of an empty message; a chunk without bytes may stand just behind the last one.
 *
 * Read by hand: each chunk has one, and a regular expression with its groups costs more than the rest of the head.
 */
export function readByteRange(bytes: Uint8Array, from: number, to: number): ByteRange | undefined {
  const dash = placeOf(bytes, DASH, from, to);
  const slash = placeOf(bytes, SLASH, dash, to);
  if (slash === to) return undefined;
  const start = digits(bytes, from, dash);
  const end = numberOrStar(bytes, dash + 1, slash);
  const total = numberOrStar(bytes, slash + 1, to);
  if (start === undefined || end === undefined || total === undefined) return undefined;
  if (start < 1 || (end !== null && end < start - 1)) return undefined;
  if (total !== null && (start > total + 1 || (end !== null && end > total))) return undefined;
  return { start, end, total };
}

/** `to` where it is not there. */
function placeOf(bytes: Uint8Array, byte: number, from: number, to: number): number {
  let at = from;
  while (at < to && bytes[at] !== byte) at++;
  return at;
}

function numberOrStar(bytes: Uint8Array, from: number, to: number): number | null | undefined {
  return to === from + 1 && bytes[from] === STAR ? null : digits(bytes, from, to);
}

function digits(bytes: Uint8Array, from: number, to: number): number | undefined {
  if (to <= from || to - from > MOST_DIGITS) return undefined;
  let value = 0;
  for (let at = from; at < to; at++) {
    const digit = (bytes[at] as number) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value;
}

export function byteRangeText(start: number, end: number | null, total: number | null): string {
  return `${start}-${end ?? '*'}/${total ?? '*'}`;
}
