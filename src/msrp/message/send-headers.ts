/**
 * What has to be known of a SEND before it is passed on (RFC 4975 7.1.1), read from its bytes in one pass, without a
 * string of them.
 */
import { wireOfBytes } from '../../sip/message/bytes.ts';
import { type ByteRange, readByteRange } from './byte-range.ts';

export interface SendHeaders {
  readonly hasMessageId: boolean;
  /** Undefined where it is missing; null where it is no range. */
  readonly range: ByteRange | null | undefined;
  readonly hasContentType: boolean;
  readonly failureReport: 'yes' | 'no' | 'partial';
}

const LF = 0x0a;
const SPACE = 0x20;
const TAB = 0x09;
const COLON = 0x3a;
const DASH = 0x2d;
/** A letter of the other case, or the same. */
const LOWER = 0x20;
const CRLF_BYTES = 2;

/** Lines from `from` to `to`, each with its CRLF. */
export function readSendHeaders(bytes: Uint8Array, from: number, to: number): SendHeaders {
  let hasMessageId = false;
  let range: ByteRange | null | undefined;
  let failureReport: SendHeaders['failureReport'] = 'yes';
  let hasContentType = false;
  for (let start = from, end = from; start < to; start = end) {
    while (end < to && bytes[end] !== LF) end++;
    end++;
    // The first letter tells the headers apart; whatever else begins so is compared whole.
    const letter = (bytes[start] as number) | LOWER;
    if (letter === 0x6d) hasMessageId ||= isNamed(bytes, start, 'message-id');
    else if (letter === 0x63) hasContentType ||= isNamed(bytes, start, 'content-type');
    else if (letter === 0x62 && range === undefined && isNamed(bytes, start, 'byte-range')) {
      range = rangeAt(bytes, start + 'byte-range:'.length, end - CRLF_BYTES) ?? null;
    } else if (letter === 0x66 && isNamed(bytes, start, 'failure-report')) {
      const value = wireOfBytes(bytes, start + 'failure-report:'.length, end - CRLF_BYTES);
      failureReport = wishOf(value.trim()) ?? failureReport;
    }
  }
  return { hasMessageId, range, hasContentType, failureReport };
}

function rangeAt(bytes: Uint8Array, from: number, to: number): ByteRange | undefined {
  let [start, end] = [from, to];
  while (start < end && isBlank(bytes[start])) start++;
  while (end > start && isBlank(bytes[end - 1])) end--;
  return readByteRange(bytes, start, end);
}

function isBlank(byte: number | undefined): boolean {
  return byte === SPACE || byte === TAB;
}

/** True where this header's name and a colon stand. `name` is lower-case letters and dashes. */
function isNamed(bytes: Uint8Array, start: number, name: string): boolean {
  for (let at = 0; at < name.length; at++) {
    const code = bytes[start + at] as number;
    const wanted = name.charCodeAt(at);
    if (code !== wanted && (wanted === DASH || (code | LOWER) !== wanted)) return false;
  }
  return bytes[start + name.length] === COLON;
}

/** What a Failure-Report says; undefined where that is not understood. */
export function wishOf(value: string | undefined): 'yes' | 'no' | 'partial' | undefined {
  const wish = value?.toLowerCase();
  return wish === 'no' || wish === 'partial' || wish === 'yes' ? wish : undefined;
}
