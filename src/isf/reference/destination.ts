/** Whom an address outside CPM leads to: a telephone, a mailbox, or both where the provider knows of it. */
import { identityKey, isSipUri, parseUri, uriParam } from '../../sip/message/uri.ts';

export interface Destination {
  /** `+15550123`, or as it was dialled; undefined where no telephone is known. */
  readonly number: string | undefined;
  /** `bob@mail.example` */
  readonly mail: string | undefined;
}

/** Another way to the same person, by the form of address that is compared (`identityKey`). */
export interface Directory {
  readonly mailDomains: readonly string[];
  readonly also: ReadonlyMap<string, Destination>;
}

// RFC 5321 4.1.2, without quoted local parts: what everybody uses. No octet that could end a line or a command.
const MAIL = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?$/;
/** RFC 3966 3: digits with or without a plus; E.164 has 15, and short codes are shorter. */
const NUMBER = /^\+?\d{2,20}$/;

export function isMailAddress(text: string): boolean {
  return MAIL.test(text);
}

export function isNumber(text: string): boolean {
  return NUMBER.test(text);
}

/** Undefined for what leads nowhere here; `scheme` says that no address of this kind ever does. */
export function destinationOf(uri: string, directory: Directory): Destination | 'unknown' | 'scheme' {
  const own = ownDestination(uri, directory.mailDomains);
  if (own === 'scheme') return own;
  const also = directory.also.get(identityKey(uri));
  const number = own === 'unknown' ? also?.number : (own.number ?? also?.number);
  const mail = own === 'unknown' ? also?.mail : (own.mail ?? also?.mail);
  return number === undefined && mail === undefined ? 'unknown' : { number, mail };
}

function ownDestination(text: string, mailDomains: readonly string[]): Destination | 'unknown' | 'scheme' {
  const uri = parseUri(text);
  if (uri === undefined) return 'scheme';
  if (isSipUri(uri)) {
    const user = decoded(uri.user ?? '');
    if (uriParam(uri, 'user')?.toLowerCase() === 'phone') return numbered(user);
    return mailDomains.includes(uri.host) ? mailed(`${user}@${uri.host}`) : 'unknown';
  }
  if (uri.scheme === 'tel') return numbered(uri.text.slice(4));
  // RFC 6068 2: header fields behind the address are no part of it.
  if (uri.scheme === 'mailto') return mailed(decoded(uri.text.slice(7).replace(/\?.*$/, '')));
  return 'scheme';
}

function numbered(subscriber: string): Destination | 'unknown' {
  const number = subscriber.replace(/;.*$/, '').replace(/[-.()\s]/g, '');
  return isNumber(number) ? { number, mail: undefined } : 'unknown';
}

function mailed(address: string): Destination | 'unknown' {
  return isMailAddress(address) ? { number: undefined, mail: address.toLowerCase() } : 'unknown';
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
