/**
 * From bytes to a message (RFC 3261 7, 18.3, 25). The parser only finds lines; what they mean is read on demand
 * and judged in `validate.ts`, so that a broken request can still be answered.
 */
import { decimal, isBlank, NO_BYTES, oneOf, trimBlanks, wireOfBytes } from './bytes.ts';
import { canonicalName, type HeaderField, isNameByte, knownNameAt } from './header.ts';
import { type AnyMessage, SipRequest, SipResponse } from './message.ts';
import { KNOWN_METHODS } from './methods.ts';
import { isToken } from './params.ts';

/** Bounds on what a peer may send, checked before anything is kept. */
export interface MessageLimits {
  /** Bytes of start line and headers. A REGISTER with embedded bodies stays under 8 kB; 64 kB is one datagram. */
  readonly headBytes: number;
  /** Bytes of body: SDP, resource lists and a first CPIM message fit; more is a 513. */
  readonly bodyBytes: number;
  /** Header lines. RFC 4475's busiest has about 40. */
  readonly headerLines: number;
}

export const DEFAULT_LIMITS: MessageLimits = { headBytes: 65_535, bodyBytes: 1_048_576, headerLines: 256 };

/** Why bytes are no message, or a message that must be refused as a whole. */
export interface Malformed {
  /** Stable code, counted in metrics. */
  readonly code:
    | 'empty'
    | 'unterminated-head'
    | 'head-too-large'
    | 'body-too-large'
    | 'too-many-headers'
    | 'start-line'
    | 'version'
    | 'header-line'
    | 'content-length'
    | 'body-short';
  readonly detail: string;
}

/**
 * `message` is present whenever enough could be read to answer it; `fault` whenever it must not be used.
 * Both together mean: answer with an error.
 */
export interface Parsed {
  readonly message?: AnyMessage;
  readonly fault?: Malformed;
}

const CRLF = '\r\n';

/** Where the head ends: the index of the blank line's first byte, or -1. Tells stream framing how far to read. */
export function headEnd(bytes: Uint8Array, from: number): number {
  for (let at = from + 3; at < bytes.length; at++) {
    if (bytes[at] === 0x0a && bytes[at - 1] === 0x0d && bytes[at - 2] === 0x0a && bytes[at - 3] === 0x0d) return at - 3;
  }
  return -1;
}

/**
 * Parses one message that fills `bytes`: a datagram, or what stream framing has cut out. In a datagram, bytes
 * behind Content-Length are ignored (RFC 3261 18.3).
 */
export function parseMessage(bytes: Uint8Array, limits: MessageLimits = DEFAULT_LIMITS): Parsed {
  let start = 0;
  // RFC 3261 7.5: CRLFs in front of the start line are ignored.
  while (bytes[start] === 0x0d && bytes[start + 1] === 0x0a) start += 2;
  if (start >= bytes.length) return { fault: { code: 'empty', detail: 'no start line' } };
  const own = start === 0 ? bytes : bytes.subarray(start);
  const wire = wireOfBytes(own, 0, Math.min(own.length, limits.headBytes + 4));
  const end = wire.indexOf('\r\n\r\n');
  if (end >= 0) return parseHead({ bytes: own, wire, end }, end + 4, limits, undefined);
  const fault: Malformed =
    own.length > limits.headBytes
      ? { code: 'head-too-large', detail: `head above ${limits.headBytes} bytes` }
      : { code: 'unterminated-head', detail: 'no blank line behind the headers' };
  // The lines that came whole are read all the same: they say whom to answer. Half a line says something else.
  const whole = wire.lastIndexOf(CRLF);
  return parseHead({ bytes: own, wire, end: whole < 0 ? wire.length : whole }, own.length, limits, fault);
}

/** A message's head as bytes, which are quick to look at, and as text, which is cheap to cut: the same places in both. */
interface Head {
  readonly bytes: Uint8Array;
  readonly wire: string;
  /** Behind the last byte of its last line. */
  readonly end: number;
}

function parseHead(head: Head, bodyStart: number, limits: MessageLimits, early: Malformed | undefined): Parsed {
  const lineEnd = head.wire.indexOf(CRLF);
  const hasHeaders = lineEnd >= 0 && lineEnd < head.end;
  const startLine = head.wire.slice(0, hasHeaders ? lineEnd : head.end);
  const headers: HeaderField[] = [];
  const faulty = hasHeaders ? parseHeaderLines(head, lineEnd + 2, headers, limits) : undefined;
  const started = parseStartLine(startLine, headers);
  if (started.message === undefined) return started;
  const fault = early ?? started.fault ?? faulty;
  if (fault !== undefined) return { message: started.message, fault };
  const body = cutBody(started.message, head.bytes, bodyStart, limits);
  if ('code' in body) return { message: started.message, fault: body };
  started.message.body = body;
  return started;
}

function parseHeaderLines(
  head: Head,
  first: number,
  headers: HeaderField[],
  limits: MessageLimits,
): Malformed | undefined {
  let fault: Malformed | undefined;
  for (let start = first; start < head.end; ) {
    if (headers.length >= limits.headerLines) {
      return { code: 'too-many-headers', detail: `more than ${limits.headerLines} header lines` };
    }
    let end = plainLineEnd(head, start);
    let field = end < 0 ? undefined : plainField(head, start, end);
    if (end < 0) end = oddLineEnd(head, start);
    field ??= oddField(head.wire.slice(start, end));
    if (field !== undefined) headers.push(field);
    else
      fault ??= {
        code: 'header-line',
        detail: `not a header: ${JSON.stringify(head.wire.slice(start, end).slice(0, 60))}`,
      };
    start = end + 2;
  }
  return fault;
}

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;

/** Where a line without folds and stray controls ends; -1 for any other line. */
function plainLineEnd({ bytes, end }: Head, start: number): number {
  let at = start;
  while (at < end && ((bytes[at] as number) >= SPACE || bytes[at] === TAB)) at++;
  if (at === end) return end;
  return bytes[at] === CR && bytes[at + 1] === LF && !isBlank(bytes[at + 2] as number) ? at : -1;
}

/** A line whose name is one that peers really send, the colon right behind it; undefined for any other. */
function plainField({ bytes, wire }: Head, start: number, end: number): HeaderField | undefined {
  let colon = start;
  while (isNameByte(bytes[colon] as number)) colon++;
  const name = bytes[colon] === COLON ? knownNameAt(bytes, start, colon) : undefined;
  if (name === undefined) return undefined;
  let first = colon + 1;
  let last = end;
  while (first < last && isBlank(bytes[first] as number)) first++;
  while (last > first && isBlank(bytes[last - 1] as number)) last--;
  return { name, value: wire.slice(first, last), line: wire.slice(start, end) };
}

const COLON = 0x3a;

function oddLineEnd({ wire, end }: Head, start: number): number {
  const found = headerLineEnd(wire, start);
  return found < 0 || found > end ? end : found;
}

/** Where the header line that begins here ends, its folds included; -1 at the end of the head. */
export function headerLineEnd(head: string, start: number): number {
  let end = head.indexOf(CRLF, start);
  // RFC 3261 7.3.1: a line that begins with white space continues the one before.
  while (end >= 0 && isBlank(head.charCodeAt(end + 2))) end = head.indexOf(CRLF, end + 2);
  return end;
}

function oddField(line: string): HeaderField | undefined {
  const colon = line.indexOf(':');
  if (colon <= 0) return undefined;
  const written = trimBlanks(line.slice(0, colon));
  const name = line.startsWith(written) && isToken(written) ? canonicalName(written) : undefined;
  if (name === undefined) return undefined;
  const value = unfolded(line.slice(colon + 1));
  // A lone CR or LF never separates lines in SIP; letting it through would let a peer forge headers behind us.
  if (value.indexOf('\n') >= 0 || value.indexOf('\r') >= 0) return undefined;
  if (value.indexOf('\0') >= 0 && !nulsAreQuoted(value)) return undefined;
  return { name, value, line };
}

/** RFC 3261 25.1 quoted-pair, RFC 4475 3.1.1.2: a NUL may stand in a quoted string, behind a backslash; nowhere else. */
function nulsAreQuoted(value: string): boolean {
  let quoted = false;
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (code === 0) return false;
    if (code === 0x22) quoted = !quoted;
    else if (code === 0x5c && quoted) at++;
  }
  return true;
}

/** RFC 3261 7.3.1: a fold and the white space around it count as one space. */
export function unfolded(value: string): string {
  return trimBlanks(value.split(CRLF).map(trimBlanks).join(' '));
}

/** As most peers write them. Anything else is taken apart with more care. */
const PLAIN_VERSION = 'SIP/2.0';

/** A request line of a known method, single spaces and version 2.0; undefined for any other. */
function plainRequest(line: string, headers: HeaderField[]): SipRequest | undefined {
  const first = line.indexOf(' ');
  const last = line.length - PLAIN_VERSION.length - 1;
  if (first < 0 || last <= first + 1 || line.indexOf(' ', first + 1) !== last || !line.endsWith(PLAIN_VERSION)) {
    return undefined;
  }
  const method = oneOf(KNOWN_METHODS, line.slice(0, first));
  const uri = line.slice(first + 1, last);
  return method === undefined || /\s/.test(uri) ? undefined : new SipRequest(method, uri, headers);
}

/** `SIP/2.0 200 OK` with a status in its range; undefined for any other. */
function plainResponse(line: string, headers: HeaderField[]): SipResponse | undefined {
  if (!line.startsWith(PLAIN_VERSION) || line.charCodeAt(7) !== SPACE || line.charCodeAt(11) !== SPACE)
    return undefined;
  const status = decimal(line, 8, 11);
  // A line break is no part of a reason; where one stands is for the careful way to say.
  if (status === undefined || status < 100 || status > 699 || line.indexOf('\r') >= 0 || line.indexOf('\n') >= 0)
    return undefined;
  return new SipResponse(status, line.slice(12), headers);
}

const SPACE = 0x20;

const RESPONSE_LINE = /^SIP\/(\d+)\.(\d+) (\d{3}) ([^\r\n]*)$/i;
const REQUEST_LINE = /^([^\s]+) ([^\s]+) SIP\/(\d+)\.(\d+)$/i;

function parseStartLine(line: string, headers: HeaderField[]): Parsed {
  const plain = plainRequest(line, headers) ?? plainResponse(line, headers);
  return plain === undefined ? parseOddStartLine(line, headers) : { message: plain };
}

function parseOddStartLine(line: string, headers: HeaderField[]): Parsed {
  if (/^SIP\//i.test(line)) return parseStatusLine(line, headers);
  const strict = REQUEST_LINE.exec(line);
  if (strict === null) {
    // RFC 4475 3.1.2.8 to 3.1.2.10: stray white space is a 400, so keep what can be read to address it.
    const words = line.split(/[ \t]/).filter((word) => word !== '');
    const fault: Malformed = { code: 'start-line', detail: `not a request line: ${JSON.stringify(line.slice(0, 80))}` };
    if (words.length < 3 || !isToken(words[0] ?? '') || !/^SIP\/\d+\.\d+$/i.test(words.at(-1) ?? '')) return { fault };
    return { message: new SipRequest(words[0] ?? '', words.slice(1, -1).join(' '), headers), fault };
  }
  const method = strict[1] ?? '';
  if (!isToken(method)) {
    return { fault: { code: 'start-line', detail: `not a method: ${JSON.stringify(method.slice(0, 40))}` } };
  }
  const message = new SipRequest(method, strict[2] ?? '', headers);
  if (strict[3] !== '2' || strict[4] !== '0') {
    return { message, fault: { code: 'version', detail: `SIP/${strict[3]}.${strict[4]}` } };
  }
  return { message };
}

function parseStatusLine(line: string, headers: HeaderField[]): Parsed {
  const match = RESPONSE_LINE.exec(line);
  const status = Number(match?.[3]);
  if (match === null || match[1] !== '2' || match[2] !== '0' || status < 100 || status > 699) {
    return { fault: { code: 'start-line', detail: `not a status line: ${JSON.stringify(line.slice(0, 80))}` } };
  }
  return { message: new SipResponse(status, match[4] ?? '', headers) };
}

function cutBody(message: AnyMessage, bytes: Uint8Array, start: number, limits: MessageLimits): Uint8Array | Malformed {
  const declared = message.header('content-length');
  const left = bytes.length - start;
  // RFC 3261 18.3: in a datagram without Content-Length, the body is what is left.
  if (declared === undefined) {
    return left > limits.bodyBytes ? tooLarge(left, limits) : bytes.subarray(start);
  }
  const length = decimal(declared);
  if (length === undefined) return { code: 'content-length', detail: `not a length: ${declared.slice(0, 20)}` };
  if (length > limits.bodyBytes) return tooLarge(length, limits);
  if (length > left) {
    return { code: 'body-short', detail: `Content-Length ${length}, but ${left} bytes follow` };
  }
  return length === 0 ? NO_BYTES : bytes.subarray(start, start + length);
}

function tooLarge(length: number, limits: MessageLimits): Malformed {
  return { code: 'body-too-large', detail: `body of ${length} bytes, at most ${limits.bodyBytes} allowed` };
}
