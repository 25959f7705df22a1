/** The rules of RFC 3261 16 that make a forwarded message out of a received one. */
import { parseNameAddress } from '../message/address.ts';
import { decimal } from '../message/bytes.ts';
import { type HeaderField, headerField } from '../message/header.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { isSipUri, parseUri, uriParam } from '../message/uri.ts';
import { MAGIC_COOKIE, parseVia } from '../message/via.ts';
import type { Network } from '../network.ts';

/** Default of a request that came without one (16.6 step 3). */
const MAX_FORWARDS = 70;

/** Max-Forwards for the next hop; negative where the request may go no further (16.3 step 3). */
export function forwardsLeft(request: SipRequest): number {
  const value = request.header('max-forwards');
  return value === undefined ? MAX_FORWARDS : (decimal(value) ?? Number.NaN) - 1;
}

/**
 * 16.4: undoes a strict router before us, and takes our own entry from the top of the Route. Gives back the user
 * part of that entry, the key of its session.
 */
export function takeOwnRoute(request: SipRequest, network: Pick<Network, 'isOwn'>): string | undefined {
  undoStrictRouting(request, network);
  let key: string | undefined;
  // RFC 5658: between two transports the proxy stands in the route twice. Another key is another session, through which
  // the request has yet to pass (RFC 3261 6, "spiral").
  for (let entry = ownRoute(request, network); entry !== undefined; entry = ownRoute(request, network)) {
    if (key !== undefined && entry.user !== key) break;
    key = entry.user;
    request.removeTop('route');
  }
  return key;
}

/** Key of the session whose entry is on top of the Route; the request stays as it is. */
export function topRouteKey(request: SipRequest, network: Pick<Network, 'isOwn'>): string | undefined {
  return ownRoute(request, network)?.user;
}

function undoStrictRouting(request: SipRequest, network: Pick<Network, 'isOwn'>): void {
  const uri = parseUri(request.uri);
  if (uri === undefined || !isSipUri(uri) || uriParam(uri, 'lr') === undefined) return;
  if (!network.isOwn(uri.host, uri.port)) return;
  const routes = request.list('route');
  const last = routes.pop();
  const target = last === undefined ? undefined : parseNameAddress(last);
  if (target === undefined) return;
  request.remove('route');
  request.headers.push(headerField('Route', `<${request.uri}>`));
  for (const route of routes) request.headers.push(headerField('Route', route));
  request.uri = target.uri;
}

function ownRoute(request: SipRequest, network: Pick<Network, 'isOwn'>): { user: string | undefined } | undefined {
  const top = topRoute(request);
  const uri = top === undefined ? undefined : parseUri(top);
  if (uri === undefined || !isSipUri(uri) || !network.isOwn(uri.host, uri.port)) return undefined;
  return { user: uri.user };
}

/** URI of the first Route; undefined where there is none. */
export function topRoute(request: SipRequest): string | undefined {
  const field = request.headers.find((header) => header.name === 'route');
  if (field === undefined) return undefined;
  const first = request.list('route')[0];
  return first === undefined ? undefined : parseNameAddress(first)?.uri;
}

/** A copy for the next hop: Max-Forwards one lower; all else as received (16.6 steps 1 to 3). */
export function forwardedCopy(request: SipRequest): SipRequest {
  const copy = request.copy();
  copy.set('Max-Forwards', String(forwardsLeft(request)));
  return copy;
}

/** 16.7 step 3: the response without our Via. */
export function responseForward(response: SipResponse, replaced: readonly HeaderField[] = []): SipResponse {
  const copy = response.copy();
  copy.removeTop('via');
  for (const field of replaced) copy.set(field.line.slice(0, field.line.indexOf(':')), field.value);
  return copy;
}

/**
 * 16.6 step 8: the second part of a branch, the same for the same request whenever it passes here unchanged. A
 * request that comes back with it in one of its Vias has looped; one that was rewritten on its way has spiralled
 * and may go on.
 */
export function loopToken(request: SipRequest): string {
  const route = request.list('route').join();
  const parts = [request.uri, request.fromTag ?? '', request.toTag ?? '', request.callId, String(request.cseq?.number)];
  const header = (name: 'proxy-require' | 'p-served-user'): string => request.header(name) ?? '';
  // Whom a request is for decides what becomes of it: it may come for the caller and then for the callee.
  return fnv1a([...parts, route, header('proxy-require'), header('p-served-user')].join('\n'));
}

/** 16.3 step 4. */
export function hasLooped(request: SipRequest, network: Network): boolean {
  const vias = request.list('via');
  if (vias.length < 2) return false;
  const token = `-l${loopToken(request)}`;
  return vias.some((via) => via.includes(token) && isOwnBranch(via, token, network));
}

function isOwnBranch(value: string, token: string, network: Network): boolean {
  const via = parseVia(value);
  const branch = via?.branch;
  if (via === undefined || branch?.startsWith(MAGIC_COOKIE) !== true || !network.isOwn(via.host, via.port))
    return false;
  // A second target of the same request has its number behind the token (RFC 3263 4.3).
  const at = branch.lastIndexOf(token);
  return at >= 0 && /^(\.\d+)?$/.test(branch.slice(at + token.length));
}

/** FNV-1a, 32 bits, in hexadecimal: it has to differ, not to keep a secret. */
function fnv1a(text: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    hash ^= text.charCodeAt(at);
    hash = Math.imul(hash, 0x01000193);
  }
  return (hash >>> 0).toString(16).padStart(8, '0');
}
