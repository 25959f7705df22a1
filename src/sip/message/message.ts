/** SIP requests and responses (RFC 3261 7): ordered header lines and a body of bytes, parsed only when asked. */
import { addressParam, addressWithoutTag, type NameAddress, parseNameAddress } from './address.ts';
import { characters, decimal, NO_BYTES, runEnd, sameIgnoringCase } from './bytes.ts';
import { type HeaderField, headerField, splitList } from './header.ts';
import { parseVia, type Via } from './via.ts';

export interface CSeq {
  readonly number: number;
  readonly method: string;
}

/** What requests and responses share. Reading a broken header gives undefined, never a throw. */
abstract class SipMessage {
  headers: HeaderField[];
  body: Uint8Array;
  // Read several times for each message by parser, transactions and dialogs, hence kept; undefined: not yet read.
  // From and To are read in one place: the compiler would else put a copy of the reader into each of their getters.
  #addresses: Addresses | undefined;
  #via: Via | null | undefined;
  #cseq: CSeq | null | undefined;

  constructor(headers: HeaderField[], body: Uint8Array) {
    this.headers = headers;
    this.body = body;
  }

  /** Value of the first line with this canonical name. */
  header(name: string): string | undefined {
    const headers = this.headers;
    for (let at = 0; at < headers.length; at++) {
      const field = headers[at] as HeaderField;
      if (field.name === name) return field.value;
    }
    return undefined;
  }

  /** True where at least one line has this canonical name. */
  has(name: string): boolean {
    return this.header(name) !== undefined;
  }

  /** All lines with this canonical name, in order. */
  lines(name: string): HeaderField[] {
    return this.headers.filter((field) => field.name === name);
  }

  /** All values of a comma-separated header, across its lines, in order. */
  list(name: string): string[] {
    let values: string[] | undefined;
    for (const field of this.headers) {
      if (field.name !== name) continue;
      const parts = splitList(field.value);
      values = values === undefined ? parts : values.concat(parts);
    }
    return values ?? [];
  }

  /** True where a list header such as Supported names this option tag or method. */
  lists(name: string, token: string): boolean {
    for (const value of this.list(name)) if (sameIgnoringCase(value, token)) return true;
    return false;
  }

  get callId(): string {
    return this.header('call-id') ?? '';
  }

  get from(): NameAddress | undefined {
    return this.#read().from;
  }

  get to(): NameAddress | undefined {
    return this.#read().to;
  }

  get fromTag(): string | undefined {
    return this.#read().fromTag;
  }

  get toTag(): string | undefined {
    return this.#read().toTag;
  }

  /** Value of From without its tag. */
  get fromAddress(): string {
    return addressWithoutTag(this.header('from') ?? '', this.from);
  }

  /** Value of To without its tag. */
  get toAddress(): string {
    return addressWithoutTag(this.header('to') ?? '', this.to);
  }

  #read(): Addresses {
    this.#addresses ??= readAddresses(this.header('from'), this.header('to'));
    return this.#addresses;
  }

  /** The topmost Via. */
  get via(): Via | undefined {
    if (this.#via === undefined) this.#via = parseVia(topOfList(this.header('via') ?? '')) ?? null;
    return this.#via ?? undefined;
  }

  get branch(): string | undefined {
    return this.via?.branch;
  }

  get cseq(): CSeq | undefined {
    if (this.#cseq === undefined) this.#cseq = parseCSeq(this.header('cseq') ?? '') ?? null;
    return this.#cseq ?? undefined;
  }

  /** First Contact taken apart. */
  get contact(): NameAddress | undefined {
    const first = this.list('contact')[0];
    return first === undefined ? undefined : parseNameAddress(first);
  }

  /** Content-Type without parameters, in lower case. */
  get contentType(): string | undefined {
    return this.header('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  }

  /** Puts a line in place of the first one with this name, or at the end. */
  set(name: string, value: string): void {
    const field = headerField(name, value);
    const at = this.headers.findIndex((old) => old.name === field.name);
    if (at < 0) this.headers.push(field);
    else this.headers[at] = field;
    this.#forget(field.name);
  }

  /** Puts another value in place of the topmost Via; `via` is the same, taken apart. */
  setTopVia(value: string, via: Via): void {
    this.set('Via', value);
    this.#via = via;
  }

  /** Puts a line in front of all others: a Via, a Route, a Record-Route (RFC 3261 16.6). */
  prepend(name: string, value: string): void {
    const field = headerField(name, value);
    this.headers.unshift(field);
    this.#forget(field.name);
  }

  /** Removes all lines with this canonical name. */
  remove(name: string): void {
    this.headers = this.headers.filter((field) => field.name !== name);
    this.#forget(name);
  }

  /** Removes the first value of a comma-separated header, or its whole line where that was the only one. */
  removeTop(name: string): void {
    const at = this.headers.findIndex((field) => field.name === name);
    if (at < 0) return;
    const field = this.headers[at] as HeaderField;
    const rest = splitList(field.value).slice(1);
    if (rest.length === 0) this.headers.splice(at, 1);
    else this.headers[at] = headerField(field.line.slice(0, field.line.indexOf(':')).trim(), rest.join(', '));
    this.#forget(name);
  }

  #forget(name: string): void {
    if (name === 'via') this.#via = undefined;
    else if (name === 'cseq') this.#cseq = undefined;
    else if (name === 'from' || name === 'to') this.#addresses = undefined;
  }
}

export class SipRequest extends SipMessage {
  readonly kind = 'request';
  readonly method: string;
  uri: string;

  constructor(method: string, uri: string, headers: HeaderField[], body: Uint8Array = NO_BYTES) {
    super(headers, body);
    this.method = method;
    this.uri = uri;
  }

  /** A copy whose header list may be changed without touching this one. The lines and the body are shared. */
  copy(): SipRequest {
    return new SipRequest(this.method, this.uri, this.headers.slice(), this.body);
  }
}

export class SipResponse extends SipMessage {
  readonly kind = 'response';
  readonly status: number;
  readonly reason: string;

  constructor(status: number, reason: string, headers: HeaderField[], body: Uint8Array = NO_BYTES) {
    super(headers, body);
    this.status = status;
    this.reason = reason;
  }

  copy(): SipResponse {
    return new SipResponse(this.status, this.reason, this.headers.slice(), this.body);
  }
}

export type AnyMessage = SipRequest | SipResponse;

interface Addresses {
  readonly from: NameAddress | undefined;
  readonly to: NameAddress | undefined;
  readonly fromTag: string | undefined;
  readonly toTag: string | undefined;
}

function readAddresses(fromValue: string | undefined, toValue: string | undefined): Addresses {
  const from = parseNameAddress(fromValue ?? '');
  const to = parseNameAddress(toValue ?? '');
  return {
    from,
    to,
    fromTag: from === undefined ? undefined : addressParam(from, 'tag'),
    toTag: to === undefined ? undefined : addressParam(to, 'tag'),
  };
}

const SPACES = characters('\\s');
const NO_SPACES = characters('\\S');

// RFC 3261 8.1.1.5: the sequence number is below 2**31.
function parseCSeq(value: string): CSeq | undefined {
  const end = runEnd(value, 0, NO_SPACES);
  const method = runEnd(value, end, SPACES);
  const number = end <= 10 ? decimal(value, 0, end) : undefined;
  if (number === undefined || number >= 2 ** 31 || method === end) return undefined;
  return runEnd(value, method, NO_SPACES) === value.length && method < value.length
    ? { number, method: value.slice(method) }
    : undefined;
}

function topOfList(value: string): string {
  const comma = value.indexOf(',');
  if (comma < 0) return value;
  return value.indexOf('"') < 0 ? value.slice(0, comma).trimEnd() : (splitList(value)[0] ?? '');
}
