/**
 * The head of an MSRP request or response (RFC 4975 7, 9): start line and headers. Paths are read at once, since every
 * message needs them; all other lines stay as they came, in a wire string of one character a byte.
 */
import { bytesOfWire, trimBlanks, wireOfBytes } from '../../sip/message/bytes.ts';
import { answerBetween } from './compose.ts';
import { readSendHeaders, type SendHeaders, wishOf } from './send-headers.ts';

/** How a chunk ends: the last of its message, more to come, or given up (RFC 4975 7.1). */
export type ContinuationFlag = '$' | '+' | '#';

/**
 * Start line and paths without the transaction id: what the messages of one session begin with again and again. One
 * object stands for all of them that come over a connection.
 */
export class Beginning {
  /** Empty for a response. */
  readonly method: string;
  /** 0 for a request. */
  readonly status: number;
  readonly toPath: string;
  readonly fromPath: string;
  #accepted: string | undefined;

  constructor({ method, status }: Omit<StartLine, 'id'>, toPath: string, fromPath: string) {
    this.method = method;
    this.status = status;
    this.toPath = toPath;
    this.fromPath = fromPath;
  }

  /** What stands between the two ids of a 200 to such a request. */
  get accepted(): string {
    this.#accepted ??= answerBetween(200, this);
    return this.#accepted;
  }
}

export class MsrpHead {
  /** Transaction identifier. */
  readonly id: string;
  readonly beginning: Beginning;
  /** True where a blank line follows, and with it a body, be it empty. */
  readonly hasBody: boolean;
  /** What is wrong with it, where its end can be found all the same; undefined where nothing is. */
  readonly fault: string | undefined;
  #lines: string | undefined;
  /** Where its lines stand, as long as nobody has asked for them. */
  #bytes: Buffer | undefined;
  #from = 0;
  #to = 0;

  constructor(id: string, beginning: Beginning, hasBody: boolean, lines: string | undefined, fault?: string) {
    this.id = id;
    this.beginning = beginning;
    this.hasBody = hasBody;
    this.fault = fault;
    this.#lines = lines;
  }

  /** With the lines from here to there, which are not looked at before somebody asks. */
  static of(id: string, beginning: Beginning, hasBody: boolean, bytes: Buffer, from: number, to: number): MsrpHead {
    const head = new MsrpHead(id, beginning, hasBody, undefined);
    head.#bytes = bytes;
    head.#from = from;
    head.#to = to;
    return head;
  }

  get method(): string {
    return this.beginning.method;
  }

  get status(): number {
    return this.beginning.status;
  }

  get toPath(): string {
    return this.beginning.toPath;
  }

  get fromPath(): string {
    return this.beginning.fromPath;
  }

  /** All header lines but the two paths, each with its CRLF, as they came. */
  get lines(): string {
    this.keep();
    return this.#lines as string;
  }

  /** Copies what it needs, so that the bytes it was read from can go. */
  keep(): void {
    this.#lines ??= wireOfBytes(this.#bytes as Buffer, this.#from, this.#to);
    this.#bytes = undefined;
  }

  /** What has to be known of a SEND. */
  get sendHeaders(): SendHeaders {
    if (this.#bytes !== undefined) return readSendHeaders(this.#bytes, this.#from, this.#to);
    const bytes = bytesOfWire(this.lines);
    return readSendHeaders(bytes, 0, bytes.length);
  }

  /** Where its lines stand in these bytes, if the body that begins there follows them; -1 if not. */
  linesBefore(bytes: Buffer, body: number): number {
    return this.#bytes === bytes && this.#to + BLANK_LINE === body ? this.#from : -1;
  }
}

/** CRLF */
const BLANK_LINE = 2;

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
      if (toPath !== '' && fromPath !== '') {
        return new MsrpHead(start.id, new Beginning(start, toPath, fromPath), hasBody, text.slice(fromEnd + 2));
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
  return new MsrpHead(start.id, new Beginning(start, toPath, fromPath), hasBody, lines, fault);
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
