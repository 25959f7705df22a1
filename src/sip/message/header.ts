/**
 * Header fields: one object per line of a message's head, in the order of the wire.
 *
 * A field keeps its line as received, so that a message which is only passed on leaves with the same bytes,
 * folding and spelling included (RFC 3261 7.3.1 makes folding and case meaningless, so nobody may depend on a
 * rewrite). Its value is unfolded and trimmed for reading.
 */
import { bytesOfWire, trimBlanks, trimmedSlice } from './bytes.ts';

export interface HeaderField {
  /** Canonical name: lower case, compact form expanded. */
  readonly name: string;
  /** Value with folds replaced by one space and outer white space removed. */
  readonly value: string;
  /** The line as on the wire, without its final CRLF. */
  readonly line: string;
}

// RFC 3261 7.3.3 and the registry: compact forms.
const COMPACT: Readonly<Record<string, string>> = {
  a: 'accept-contact',
  b: 'referred-by',
  c: 'content-type',
  d: 'request-disposition',
  e: 'content-encoding',
  f: 'from',
  i: 'call-id',
  j: 'reject-contact',
  k: 'supported',
  l: 'content-length',
  m: 'contact',
  o: 'event',
  r: 'refer-to',
  s: 'subject',
  t: 'to',
  u: 'allow-events',
  v: 'via',
  x: 'session-expires',
};

const COMMON = [
  'Via',
  'From',
  'To',
  'Call-ID',
  'CSeq',
  'Max-Forwards',
  'Contact',
  'Content-Type',
  'Content-Length',
  'Route',
  'Record-Route',
  'Allow',
  'Supported',
  'Require',
  'Proxy-Require',
  'Unsupported',
  'User-Agent',
  'Server',
  'Session-Expires',
  'Min-SE',
  'P-Asserted-Identity',
  'P-Asserted-Service',
  'P-Preferred-Service',
  'P-Served-User',
  'Accept-Contact',
  'Reject-Contact',
  'Request-Disposition',
  'Contribution-ID',
  'Conversation-ID',
  'InReplyTo-Contribution-ID',
  'Session-Replaces',
  'Message-UID',
  'Privacy',
  'Subject',
  'Warning',
  'Reason',
  'Retry-After',
  'RSeq',
  'RAck',
  'Accept',
  'Date',
  'Expires',
  'Event',
  'Path',
];

/**
 * The same text as a name of the program's own: the runtime keeps property names once each and compares them without
 * looking at their letters, and a message's headers are compared with names a hundred times.
 */
function interned(name: string): string {
  return Object.keys({ [name]: name })[0] as string;
}

// One look-up instead of toLowerCase for every spelling that peers really send.
const CANONICAL = new Map<string, string>();
for (const name of COMMON) {
  const canonical = interned(name.toLowerCase());
  CANONICAL.set(name, canonical);
  CANONICAL.set(canonical, canonical);
}
for (const [letter, name] of Object.entries(COMPACT)) {
  const canonical = canonicalName(name);
  CANONICAL.set(letter, canonical);
  CANONICAL.set(letter.toUpperCase(), canonical);
}

interface Spelling {
  readonly bytes: Uint8Array;
  readonly name: string;
}

/** The same spellings by length and first letter: a name is found where it stands, without being cut out and hashed. */
const BY_SHAPE: Spelling[][] = Array.from({ length: 1024 }, () => []);
for (const [spelling, name] of CANONICAL) {
  const bytes = bytesOfWire(spelling);
  spellingsLike(bytes, 0, bytes.length).push({ bytes, name });
}

function spellingsLike(bytes: Uint8Array, start: number, end: number): Spelling[] {
  return BY_SHAPE[((end - start) & 31) * 32 + ((bytes[start] as number) & 31)] as Spelling[];
}

/** Canonical form of the name that stands from `start` to `end`, in a spelling that peers really send; else undefined. */
export function knownNameAt(bytes: Uint8Array, start: number, end: number): string | undefined {
  for (const spelling of spellingsLike(bytes, start, end)) {
    if (spelling.bytes.length === end - start && standsAt(bytes, start, spelling.bytes)) return spelling.name;
  }
  return undefined;
}

function standsAt(bytes: Uint8Array, start: number, wanted: Uint8Array): boolean {
  for (let at = 0; at < wanted.length; at++) if (bytes[start + at] !== wanted[at]) return false;
  return true;
}

/** A letter or a hyphen: what the names that peers really send are made of. */
export function isNameByte(byte: number): boolean {
  return ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a) || byte === 0x2d;
}

/** Canonical form of a header name in any spelling: lower case, compact form expanded. */
export function canonicalName(name: string): string {
  return CANONICAL.get(name) ?? interned(name.toLowerCase());
}

/** A header field of our own. The name is written as given; the value must hold no CR or LF. */
export function headerField(name: string, value: string): HeaderField {
  if (hasLineBreak(value)) throw new RangeError(`header ${name}: a line break in its value would start a new header`);
  return { name: canonicalName(name), value, line: `${name}: ${value}` };
}

function hasLineBreak(value: string): boolean {
  return value.indexOf('\n') >= 0 || value.indexOf('\r') >= 0;
}

/**
 * Splits a comma-separated header value (RFC 3261 7.3.1), leaving commas inside quoted strings and angle
 * brackets alone. White space around the parts is removed; empty parts are dropped.
 */
export function splitList(value: string): string[] {
  if (value.indexOf(',') < 0) {
    const only = trimBlanks(value);
    return only === '' ? [] : [only];
  }
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  let bracketed = false;
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (quoted) {
      if (code === 0x5c) at++;
      else if (code === 0x22) quoted = false;
    } else if (code === 0x22) quoted = true;
    else if (code === 0x3c) bracketed = true;
    else if (code === 0x3e) bracketed = false;
    else if (code === 0x2c && !bracketed) {
      parts.push(trimmedSlice(value, start, at));
      start = at + 1;
    }
  }
  parts.push(trimmedSlice(value, start, value.length));
  return parts.filter((part) => part !== '');
}

/** A copy that shares no memory with the datagram it was cut from, for what a session keeps. */
export function detached(text: string): string {
  // V8 keeps the whole string alive that a longer one was cut from. Two parts of it that are put together are a copy.
  return text.length < 13 ? text : inOnePiece(text.charAt(0) + text.slice(1));
}

/** The same text. V8 keeps the parts of a string that was put together, and all they were cut from, until it is read. */
export function inOnePiece(joined: string): string {
  // No wire string has such a character; only asked so that it is read.
  return joined.charCodeAt(0) === 0xffff ? '' : joined;
}
