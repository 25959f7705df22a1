/** Addresses in From, To, Contact, Route and their like: name-addr or addr-spec with parameters (RFC 3261 20.10). */
import { characters, runEnd, trimBlanks, trimmedSlice } from './bytes.ts';
import { paramOf, unquote, withoutParams } from './params.ts';
import { parseUri, type Uri } from './uri.ts';

export interface NameAddress {
  /** Display name, unquoted; undefined where there is none. */
  readonly display: string | undefined;
  /** The URI as written. */
  readonly uri: string;
  /** Header parameters as text, `;tag=…`; possibly empty. */
  readonly params: string;
}

// RFC 3261 25.1: display-name is *(token LWS) or a quoted string. Unquoted names with dots and the like are
// common enough to let through; a comma or a semicolon there is not (RFC 4475 3.1.2.15), nor are quotes and brackets.
const UNQUOTED_NAME = /^[^"<>,;\\]*$/;

// What may stand in angle brackets.
const BARE = characters('^\\s<"');

/** Takes one address apart; undefined where it is broken (unbalanced quotes or brackets, white space in the URI). */
export function parseNameAddress(value: string): NameAddress | undefined {
  const text = trimBlanks(value);
  if (text.charCodeAt(0) === 0x22) return parseQuotedName(text);
  const open = text.indexOf('<');
  if (open < 0) return parseAddrSpec(text);
  const display = trimmedSlice(text, 0, open);
  if (display === '') return parseBracketed(text, open, undefined);
  return UNQUOTED_NAME.test(display) ? parseBracketed(text, open, display) : undefined;
}

function parseQuotedName(text: string): NameAddress | undefined {
  let at = 1;
  while (at < text.length && text.charCodeAt(at) !== 0x22) at += text.charCodeAt(at) === 0x5c ? 2 : 1;
  if (at >= text.length) return undefined;
  const open = text.indexOf('<', at);
  if (open < 0 || trimmedSlice(text, at + 1, open) !== '') return undefined;
  return parseBracketed(text, open, unquote(text.slice(0, at + 1)));
}

function parseBracketed(text: string, open: number, display: string | undefined): NameAddress | undefined {
  const close = text.indexOf('>', open);
  if (close < 0) return undefined;
  const uri = text.slice(open + 1, close);
  if (uri === '' || runEnd(uri, 0, BARE) < uri.length) return undefined;
  const params = trimmedSlice(text, close + 1, text.length);
  if (params !== '' && params.charCodeAt(0) !== 0x3b) return undefined;
  return { display, uri, params };
}

function parseAddrSpec(text: string): NameAddress | undefined {
  // RFC 3261 20: without brackets, everything behind the first semicolon is a header parameter, and a URI
  // with a comma, question mark or semicolon must have brackets.
  const semicolon = text.indexOf(';');
  const uri = trimBlanks(semicolon < 0 ? text : text.slice(0, semicolon));
  if (uri === '' || /[\s,?>"]/.test(uri)) return undefined;
  return { display: undefined, uri, params: semicolon < 0 ? '' : text.slice(semicolon) };
}

/** A From or To value without its tag parameter; the spelling of the rest is kept. `read` is the value taken apart. */
export function addressWithoutTag(value: string, read = parseNameAddress(value)): string {
  const params = read?.params ?? '';
  // Only behind the address: a display name or the URI may hold the same text.
  if (params === '') return value;
  const text = trimBlanks(value);
  const address = trimmedSlice(text, 0, text.length - params.length);
  const onlyTag = params.startsWith(';tag=') && params.indexOf(';', 1) < 0;
  return onlyTag ? address : `${address}${withoutParams(params, 'tag')}`;
}

/** Value of a header parameter; '' for a flag, undefined where it is absent. */
export function addressParam(address: NameAddress, name: string): string | undefined {
  return paramOf(address.params, name);
}

/** The address's URI taken apart; undefined where it is no URI. */
export function addressUri(address: NameAddress): Uri | undefined {
  return parseUri(address.uri);
}
