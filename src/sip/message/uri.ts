/**
 * URIs as SIP carries them. A SIP or SIPS URI is taken apart (RFC 3261 19.1); any other scheme (tel, im,
 * mailto, urn …) stays opaque text, since a Participating Function passes it on untouched.
 */
import { characters, decimal, runEnd } from './bytes.ts';
import { paramOf, parseParams } from './params.ts';

export interface SipUri {
  readonly scheme: 'sip' | 'sips';
  /** User part as written (escapes kept), without password; undefined where there is none. */
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** Host in lower case; an IPv6 literal keeps its brackets. */
  readonly host: string;
  readonly port: number | undefined;
  /** `;name=value` parameters as text, possibly empty. */
  readonly params: string;
  /** `?name=value` headers as text, possibly empty. */
  readonly headers: string;
  readonly text: string;
}

/** A URI that is neither sip nor sips. */
export interface OpaqueUri {
  readonly scheme: string;
  readonly text: string;
}

export type Uri = SipUri | OpaqueUri;

const SCHEME = /^([A-Za-z][A-Za-z0-9+\-.]*):/;
// Printable characters but quotes and angle brackets. Bytes of UTF-8 should be escaped, yet often are not; they pass.
const OPAQUE = /^[!#-;=?-~\x80-\xff]+$/;
const USER_INFO = /^([!#-9;=?-~\x80-\xff]+)(?::([!#-;=?-~\x80-\xff]*))?$/;
const HOST_AND_REST =
  /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._]+)(?::(\d{1,5}))?((?:;[!#-;=A-~\x80-\xff]*)?)((?:\?[!#-;=?A-~\x80-\xff]*)?)$/;
const ESCAPED = /%(?![0-9A-Fa-f]{2})/;

const PLAIN_USER = characters('A-Za-z0-9\\-_.+*!~');
/** Of a name in lower case, or of an IPv4 address. */
export const PLAIN_HOST = characters('a-z0-9\\-.');

/** Takes a URI apart; undefined where it is not one. */
export function parseUri(text: string): Uri | undefined {
  return parsePlainUri(text) ?? parseOddUri(text);
}

/**
 * As nearly every peer writes it: `sip:user@host:port`, in lower case where that counts, without escapes and password.
 * Undefined for any other, which may be right as well.
 */
function parsePlainUri(text: string): SipUri | undefined {
  if (!text.startsWith('sip:')) return undefined;
  const at = runEnd(text, 4, PLAIN_USER);
  const hasUser = at > 4 && text.charCodeAt(at) === 0x40;
  const host = hasUser ? at + 1 : 4;
  const end = runEnd(text, host, PLAIN_HOST);
  if (end === host) return undefined;
  const semicolon = text.indexOf(';', end);
  const stop = semicolon < 0 ? text.length : semicolon;
  const params = text.slice(stop);
  const port = end === stop ? undefined : portBetween(text, end, stop);
  if ((end !== stop && port === undefined) || (params !== '' && params !== ';lr')) return undefined;
  return {
    scheme: 'sip',
    user: hasUser ? text.slice(4, at) : undefined,
    password: undefined,
    host: text.slice(host, end),
    port,
    params,
    headers: '',
    text,
  };
}

/** The port where `:port` stands from `colon` to `end` (exclusive); undefined where something else does. */
export function portBetween(text: string, colon: number, end: number): number | undefined {
  return text.charCodeAt(colon) === 0x3a && end - colon <= 6 ? portOf(text, colon + 1, end) : undefined;
}

/** A port as written; undefined where it is none. */
export function portOf(text: string, start = 0, end = text.length): number | undefined {
  const port = decimal(text, start, end);
  return port === undefined || port === 0 || port > 65535 ? undefined : port;
}

function parseOddUri(text: string): Uri | undefined {
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return undefined;
  const rest = text.slice(scheme.length + 1);
  if (scheme === 'sip' || scheme === 'sips') return parseSipUri(scheme, rest, text);
  return OPAQUE.test(rest) ? { scheme, text } : undefined;
}

function parseSipUri(scheme: 'sip' | 'sips', rest: string, text: string): SipUri | undefined {
  if (rest.indexOf('%') >= 0 && ESCAPED.test(rest)) return undefined;
  // RFC 3261 25.1: an @ ends the user part; anywhere else it is escaped. Two would make two hosts of one URI.
  const at = rest.indexOf('@');
  const userInfo = at < 0 ? undefined : USER_INFO.exec(rest.slice(0, at));
  const match = HOST_AND_REST.exec(at < 0 ? rest : rest.slice(at + 1));
  if (userInfo === null || match === null) return undefined;
  const port = match[2] === undefined ? undefined : portOf(match[2]);
  if (match[2] !== undefined && port === undefined) return undefined;
  const params = match[3] ?? '';
  if (params !== '' && parseParams(params) === undefined) return undefined;
  return {
    scheme,
    user: userInfo?.[1],
    password: userInfo?.[2],
    host: (match[1] ?? '').toLowerCase(),
    port,
    params,
    headers: match[4] ?? '',
    text,
  };
}

/** True for a SIP or SIPS URI. */
export function isSipUri(uri: Uri): uri is SipUri {
  return uri.scheme === 'sip' || uri.scheme === 'sips';
}

/** A parameter of a SIP URI, escapes resolved; '' for a flag such as `lr`. `name` in lower case. */
export function uriParam(uri: SipUri, name: string): string | undefined {
  // RFC 4475 3.1.1.3: `%6C%72` is `lr`.
  return uri.params.indexOf('%') < 0 ? paramOf(uri.params, name) : unescapedParams(uri.params).get(name);
}

function unescapedParams(params: string): Map<string, string> {
  const pairs = (parseParams(params) ?? []).map(
    ({ name, value }) => [unescaped(name).toLowerCase(), unescaped(value ?? '')] as const,
  );
  // The first of two with one name counts, as everywhere.
  return new Map(pairs.reverse());
}

function unescaped(text: string): string {
  if (text.indexOf('%') < 0) return text;
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/**
 * A form of an address that equals for all spellings of one subscriber: `tel:+1-555` and
 * `sip:+1555@any;user=phone` give the same, and so do escapes and case of the host (RFC 3261 19.1.4,
 * RFC 3966 5; A-36). For comparing identities, not for routing.
 */
export function identityKey(text: string): string {
  const uri = parseUri(text);
  if (uri === undefined) return text;
  if (uri.scheme === 'tel') return telKey(uri.text.slice(4), '');
  if (!isSipUri(uri)) return uri.text.toLowerCase();
  const user = uri.user === undefined ? undefined : unescaped(uri.user);
  if (user !== undefined && uriParam(uri, 'user')?.toLowerCase() === 'phone') return telKey(user, uri.host);
  const port = uri.port === undefined ? '' : `:${uri.port}`;
  return user === undefined ? `sip:${uri.host}${port}` : `sip:${user}@${uri.host}${port}`;
}

/** A number as identity. A local one means something in its context only: the host's, without one (RFC 3966 5.1.5). */
function telKey(subscriber: string, host: string): string {
  const { number, params } = telephone(subscriber);
  const context = params.get('phone-context') ?? host;
  return number.startsWith('+') || context === '' ? `tel:${number}` : `tel:${number};phone-context=${context}`;
}

function telephone(subscriber: string): { number: string; params: Map<string, string> } {
  const end = subscriber.indexOf(';');
  if (end < 0) return { number: withoutSeparators(subscriber), params: new Map() };
  const params = unescapedParams(subscriber.slice(end).toLowerCase());
  const context = params.get('phone-context');
  // RFC 3966 3: a context is a domain name, or the leading digits of a global number.
  if (context?.startsWith('+') === true) params.set('phone-context', withoutSeparators(context));
  return { number: withoutSeparators(subscriber.slice(0, end)), params };
}

// RFC 3966 3: visual separators carry no meaning, nor does case.
function withoutSeparators(number: string): string {
  return number.replace(/[-.()\s]/g, '').toLowerCase();
}

/** The same address by RFC 3261 19.1.4, or for tel by RFC 3966 4; other schemes compare as text. */
export function sameUri(left: string, right: string): boolean {
  if (left === right) return true;
  const a = parseUri(left);
  const b = parseUri(right);
  if (a === undefined || b === undefined || a.scheme !== b.scheme) return false;
  if (a.scheme === 'tel') return sameTelephone(a.text.slice(4), b.text.slice(4));
  if (!isSipUri(a) || !isSipUri(b)) return a.text.toLowerCase() === b.text.toLowerCase();
  if (a.host !== b.host || a.port !== b.port) return false;
  if (!sameEscaped(a.user, b.user) || !sameEscaped(a.password, b.password)) return false;
  return sameUriParams(a.params, b.params) && sameUriHeaders(a.headers, b.headers);
}

function sameEscaped(left: string | undefined, right: string | undefined): boolean {
  return left === undefined || right === undefined ? left === right : unescaped(left) === unescaped(right);
}

// RFC 3261 19.1.4: these must be in both or in neither; any other parameter counts only where both have it.
const ALWAYS_COMPARED = ['user', 'ttl', 'method', 'maddr', 'transport'];

function sameUriParams(left: string, right: string): boolean {
  if (left === right) return true;
  const a = unescapedParams(left);
  const b = unescapedParams(right);
  for (const name of ALWAYS_COMPARED) if (a.has(name) !== b.has(name)) return false;
  for (const [name, value] of a) if (b.has(name) && b.get(name)?.toLowerCase() !== value.toLowerCase()) return false;
  return true;
}

// RFC 3261 19.1.4: URI headers are never ignored, and their order means nothing.
function sameUriHeaders(left: string, right: string): boolean {
  return left === right || headerLines(left).join('&') === headerLines(right).join('&');
}

function headerLines(headers: string): string[] {
  const pairs = headers.slice(1).split('&');
  return pairs
    .map((pair) => {
      const equals = pair.indexOf('=');
      if (equals < 0) return unescaped(pair).toLowerCase();
      return `${unescaped(pair.slice(0, equals)).toLowerCase()}=${unescaped(pair.slice(equals + 1))}`;
    })
    .sort();
}

// RFC 3966 4: the number without its separators, and all parameters, whatever their order.
function sameTelephone(left: string, right: string): boolean {
  const a = telephone(left);
  const b = telephone(right);
  if (a.number !== b.number || a.params.size !== b.params.size) return false;
  return [...a.params].every(([name, value]) => b.params.get(name) === value);
}
