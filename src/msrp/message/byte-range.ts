/** Byte-Range (RFC 4975 7.1.1, 9): which bytes of the whole message a chunk carries. */

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
/** Numbers with more digits are not exact any more. */
const MOST_DIGITS = 15;

/**
 * Undefined for what is no range, and for one that contradicts itself: position 0, an end before the start, bytes
 * beyond the total. `1-0/0` is the range of an empty message; a chunk without bytes may stand just behind the last one.
 */
export function parseByteRange(text: string): ByteRange | undefined {
  // By hand: each chunk has one, and a regular expression with its groups costs more than the rest of the head.
  const trimmed = text.trim();
  const dash = trimmed.indexOf('-');
  const slash = trimmed.indexOf('/', dash);
  if (dash < 0 || slash < 0) return undefined;
  const start = digits(trimmed, 0, dash);
  const end = numberOrStar(trimmed, dash + 1, slash);
  const total = numberOrStar(trimmed, slash + 1, trimmed.length);
  if (start === undefined || end === undefined || total === undefined) return undefined;
  if (start < 1 || (end !== null && end < start - 1)) return undefined;
  if (total !== null && (start > total + 1 || (end !== null && end > total))) return undefined;
  return { start, end, total };
}

function numberOrStar(text: string, from: number, to: number): number | null | undefined {
  return to === from + 1 && text.charCodeAt(from) === STAR ? null : digits(text, from, to);
}

function digits(text: string, from: number, to: number): number | undefined {
  if (to === from || to - from > MOST_DIGITS) return undefined;
  let value = 0;
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value;
}

export function byteRangeText(start: number, end: number | null, total: number | null): string {
  return `${start}-${end ?? '*'}/${total ?? '*'}`;
}
