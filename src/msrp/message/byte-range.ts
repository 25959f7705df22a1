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

const RANGE = /^(\d{1,15})-(\d{1,15}|\*)\/(\d{1,15}|\*)$/;

/**
 * Undefined for what is no range, and for one that contradicts itself: position 0, an end before the start, bytes
 * beyond the total. `1-0/0` is the range of an empty message; a chunk without bytes may stand just behind the last one.
 */
export function parseByteRange(text: string): ByteRange | undefined {
  const match = RANGE.exec(text.trim());
  if (match === null) return undefined;
  const start = Number(match[1]);
  const end = match[2] === '*' ? null : Number(match[2]);
  const total = match[3] === '*' ? null : Number(match[3]);
  if (start < 1 || (end !== null && end < start - 1)) return undefined;
  if (total !== null && (start > total + 1 || (end !== null && end > total))) return undefined;
  return { start, end, total };
}

export function byteRangeText(start: number, end: number | null, total: number | null): string {
  return `${start}-${end ?? '*'}/${total ?? '*'}`;
}
