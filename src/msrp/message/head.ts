/**
 * The head of an MSRP request or response (RFC 4975 7, 9): start line and headers. Paths are read at once, since every
 * message needs them; all other lines stay as they came, in a wire string of one character a byte.
 */
import { trimBlanks } from '../../sip/message/bytes.ts';

/** How a chunk ends: the last of its message, more to come, or given up (RFC 4975 7.1). */
export type ContinuationFlag = '$' | '+' | '#';

export interface MsrpHead {
  /** Transaction identifier. */
  readonly id: string;
  /** Empty for a response. */
  readonly method: string;
  /** 0 for a request. */
  readonly status: number;
  readonly toPath: string;
  readonly fromPath: string;
  /** All header lines but the two paths, each with its CRLF, as they came. */
  readonly lines: string;
  /** True where a blank line follows, and with it a body, be it empty. */
  readonly hasBody: boolean;
  /** What is wrong with it, where its end can be found all the same; undefined where nothing is. */
  readonly fault: string | undefined;
}

// transact-id = ident = ALPHANUM 3*31ident-char
const START = /^MSRP ([A-Za-z0-9][A-Za-z0-9.\-+%=]{3,31}) (?:(\d{3})(?: [^\r\n]*)?|([A-Z]{1,32}))$/;

const FEWEST_LETTERS = 4;
const MOST_LETTERS = 32;
const OTHER_LETTERS = '.-+%=';

/** The same as in `START`, without a regular expression: each message is asked for it. */
export function isTransactionId(text: string): boolean {
  if (text.length < FEWEST_LETTERS || text.length > MOST_LETTERS) return false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const letter = code | 0x20;
    const isPlain = (letter >= 0x61 && letter <= 0x7a) || (code >= 0x30 && code <= 0x39);
    if (!isPlain && (at === 0 || !OTHER_LETTERS.includes(text[at] as string))) return false;
  }
  return true;
}

export interface StartLine {
  readonly id: string;
  readonly method: string;
  readonly status: number;
}

/** Undefined for what is no start line of MSRP. */
export function parseStartLine(line: string): StartLine | undefined {
  const match = START.exec(line);
  if (match === null) return undefined;
  const [, id = '', status, method = ''] = match;
  return { id, method, status: status === undefined ? 0 : Number(status) };
}

const TO = 'To-Path: ';
const FROM = 'From-Path: ';

/** Reads the header lines behind a start line. `text` ends with the CRLF of the last one. */
export function readHead(start: StartLine, text: string, hasBody: boolean): MsrpHead {
  // RFC 4975 7.1: To-Path and From-Path come first, in this order, and are nearly always written so.
  if (text.startsWith(TO)) {
    const toEnd = text.indexOf('\r\n');
    if (text.startsWith(FROM, toEnd + 2)) {
      const fromEnd = text.indexOf('\r\n', toEnd + 2);
      const toPath = text.slice(TO.length, toEnd);
      const fromPath = text.slice(toEnd + 2 + FROM.length, fromEnd);
      // Written out, since a spread costs more than all the reading.
      if (toPath !== '' && fromPath !== '') {
        const { id, method, status } = start;
        return { id, method, status, toPath, fromPath, lines: text.slice(fromEnd + 2), hasBody, fault: undefined };
      }
    }
  }
  return readUnusualHead(start, text, hasBody);
}

/** Paths in another order or another spelling. */
function readUnusualHead(start: StartLine, text: string, hasBody: boolean): MsrpHead {
  const paths: Record<string, string> = {};
  let lines = '';
  let fault: string | undefined;
  for (const line of text.split('\r\n').slice(0, -1)) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).toLowerCase();
    if (colon <= 0) fault ??= 'a header line without a colon';
    if (name !== 'to-path' && name !== 'from-path') lines += `${line}\r\n`;
    else if (name in paths) fault ??= `${name} twice`;
    else paths[name] = trimBlanks(line.slice(colon + 1));
  }
  const { 'to-path': toPath = '', 'from-path': fromPath = '' } = paths;
  if (toPath === '' || fromPath === '') fault ??= 'To-Path or From-Path is missing';
  const { id, method, status } = start;
  return { id, method, status, toPath, fromPath, lines, hasBody, fault };
}

/** Value of a header in header lines; undefined where it is absent. `name` in lower case. */
export function headerIn(lines: string, name: string): string | undefined {
  const place = placeOfHeader(lines, name);
  return place === undefined ? undefined : trimBlanks(lines.slice(place.value, place.end - 2));
}

/** Where a header line stands: its start, the start of its value, and the end behind its CRLF. */
export interface HeaderPlace {
  readonly start: number;
  readonly value: number;
  readonly end: number;
}

export function placeOfHeader(lines: string, name: string): HeaderPlace | undefined {
  for (let start = 0; start < lines.length; ) {
    const end = lines.indexOf('\r\n', start) + 2;
    if (isNamed(lines, start, name)) return { start, value: start + name.length + 1, end };
    start = end;
  }
  return undefined;
}

/** What a relay or a receiver has to know of a SEND, out of its header lines in one pass. */
export interface SendHeaders {
  readonly hasMessageId: boolean;
  /** Undefined where it is missing. */
  readonly byteRange: string | undefined;
  readonly hasContentType: boolean;
  readonly failureReport: 'yes' | 'no' | 'partial';
}

export function readSendHeaders(lines: string): SendHeaders {
  let hasMessageId = false;
  let byteRange: string | undefined;
  let failureReport: SendHeaders['failureReport'] = 'yes';
  let hasContentType = false;
  for (let start = 0, end = 0; start < lines.length; start = end) {
    end = lines.indexOf('\r\n', start) + 2;
    // The first letter tells the headers apart; whatever else begins so is compared whole.
    const letter = lines.charCodeAt(start) | 0x20;
    if (letter === 0x6d) hasMessageId ||= isNamed(lines, start, 'message-id');
    else if (letter === 0x62) byteRange ??= valueNamed(lines, start, end, 'byte-range');
    else if (letter === 0x66) failureReport = wishOf(valueNamed(lines, start, end, 'failure-report')) ?? failureReport;
    else if (letter === 0x63) hasContentType ||= isNamed(lines, start, 'content-type');
  }
  return { hasMessageId, byteRange, hasContentType, failureReport };
}

function valueNamed(lines: string, start: number, end: number, name: string): string | undefined {
  return isNamed(lines, start, name) ? trimBlanks(lines.slice(start + name.length + 1, end - 2)) : undefined;
}

/** True where this header's name and a colon stand; without making a string of it. `name` is letters and dashes. */
function isNamed(lines: string, start: number, name: string): boolean {
  for (let at = 0; at < name.length; at++) {
    const code = lines.charCodeAt(start + at);
    const wanted = name.charCodeAt(at);
    if (code !== wanted && (wanted === DASH || (code | 0x20) !== wanted)) return false;
  }
  return lines.charCodeAt(start + name.length) === COLON;
}

const COLON = 0x3a;
const DASH = 0x2d;

/** RFC 4975 7.1.1: absent means `no`. */
export function wantsSuccessReport(lines: string): boolean {
  return headerIn(lines, 'success-report')?.toLowerCase() === 'yes';
}

/** RFC 4975 7.1.1: absent, or not understood, means `yes`. */
export function failureReportOf(lines: string): 'yes' | 'no' | 'partial' {
  return wishOf(headerIn(lines, 'failure-report')) ?? 'yes';
}

function wishOf(value: string | undefined): 'yes' | 'no' | 'partial' | undefined {
  const wish = value?.toLowerCase();
  return wish === 'no' || wish === 'partial' || wish === 'yes' ? wish : undefined;
}
