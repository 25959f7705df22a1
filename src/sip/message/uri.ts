/**
 * URIs as SIP carries them. A SIP or SIPS URI is taken apart (RFC 3261 19.1); any other scheme (tel, im,
 * mailto, urn …) stays opaque text, since a Participating Function passes it on untouched.
 */
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
const SIP_URI =
  /^(sips?):(?:([^@:;?<>"\s]*(?:[;?][^@<>"\s]*)?)(?::([^@<>"\s]*))?@)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._]+)(?::(\d{1,5}))?((?:;[^?<>"\s]*)?)((?:\?[^<>"\s]*)?)$/i;
const ESCAPED = /%(?![0-9A-Fa-f]{2})/;

/** Takes a URI apart; undefined where it is not one. */
export function parseUri(text: string): Uri | undefined {
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return undefined;
  if (scheme !== 'sip' && scheme !== 'sips') {
    return /[\s<>"]/.test(text) || text.length === scheme.length + 1 ? undefined : { scheme, text };
  }
  const match = SIP_URI.exec(text);
  if (match === null || ESCAPED.test(text)) return undefined;
  const port = match[5] === undefined ? undefined : Number(match[5]);
  if (port !== undefined && (port > 65535 || port === 0)) return undefined;
  const params = match[6] ?? '';
  if (params !== '' && parseParams(params) === undefined) return undefined;
  return {
    scheme,
    user: match[2],
    password: match[3],
    host: (match[4] ?? '').toLowerCase(),
    port,
    params,
    headers: match[7] ?? '',
    text,
  };
}

/** True for a SIP or SIPS URI. */
export function isSipUri(uri: Uri): uri is SipUri {
  return uri.scheme === 'sip' || uri.scheme === 'sips';
}

/** A parameter of a SIP URI; '' for a flag such as `lr`. */
export function uriParam(uri: SipUri, name: string): string | undefined {
  return paramOf(uri.params, name);
}

/**
 * A form of an address that equals for all spellings of one subscriber: `tel:+1-555` and
 * `sip:+1555@any;user=phone` give the same, and so do escapes and case of the host (RFC 3261 19.1.4,
 * RFC 3966 5; A-36). For comparing identities, not for routing.
 */
export function identityKey(text: string): string {
  const uri = parseUri(text);
  if (uri === undefined) return text;
  if (uri.scheme === 'tel') return `tel:${phoneDigits(uri.text.slice(4))}`;
  if (!isSipUri(uri)) {
    return uri.text.toLowerCase();
  }
  const user = uri.user === undefined ? undefined : unescapeUser(uri.user);
  if (user !== undefined && uriParam(uri, 'user')?.toLowerCase() === 'phone') return `tel:${phoneDigits(user)}`;
  const port = uri.port === undefined ? '' : `:${uri.port}`;
  return user === undefined ? `sip:${uri.host}${port}` : `sip:${user}@${uri.host}${port}`;
}

// RFC 3966 3: visual separators carry no meaning; parameters other than the number are not identity.
function phoneDigits(number: string): string {
  const end = number.indexOf(';');
  return (end < 0 ? number : number.slice(0, end)).replace(/[-.()\s]/g, '').toLowerCase();
}

function unescapeUser(user: string): string {
  if (user.indexOf('%') < 0) return user;
  return user.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Same SIP URI by the rules of RFC 3261 19.1.4; other schemes compare as text. */
export function sameUri(left: string, right: string): boolean {
  if (left === right) return true;
  const a = parseUri(left);
  const b = parseUri(right);
  if (a === undefined || b === undefined || a.scheme !== b.scheme) return false;
  if (!isSipUri(a) || !isSipUri(b)) return a.text.toLowerCase() === b.text.toLowerCase();
  if (a.host !== b.host || a.port !== b.port || a.password !== b.password) return false;
  if (unescapeUser(a.user ?? '') !== unescapeUser(b.user ?? '') || (a.user === undefined) !== (b.user === undefined)) {
    return false;
  }
  return sameUriParams(a.params, b.params) && a.headers.toLowerCase() === b.headers.toLowerCase();
}

// RFC 3261 19.1.4: these must be in both or in neither; any other parameter counts only where both have it.
const ALWAYS_COMPARED = ['user', 'ttl', 'method', 'maddr', 'transport'];

function sameUriParams(left: string, right: string): boolean {
  const a = new Map((parseParams(left) ?? []).map((param) => [param.name, param.value?.toLowerCase()]));
  const b = new Map((parseParams(right) ?? []).map((param) => [param.name, param.value?.toLowerCase()]));
  for (const name of ALWAYS_COMPARED) if (a.has(name) !== b.has(name)) return false;
  for (const [name, value] of a) if (b.has(name) && b.get(name) !== value) return false;
  return true;
}
