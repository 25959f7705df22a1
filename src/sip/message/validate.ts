/**
 * Is a message fit to be acted upon? The order and the answers are those of RFC 3261 8.2 and 16.3; what each
 * malformed message of RFC 4475 must get is tested file by file.
 */
import { type NameAddress, parseNameAddress } from './address.ts';
import { decimal } from './bytes.ts';
import type { SipRequest, SipResponse } from './message.ts';
import { wellFormedParams } from './params.ts';
import type { Malformed } from './parse.ts';
import { isSipUri, parseUri } from './uri.ts';
import { MAGIC_COOKIE } from './via.ts';

/** Answer with this status, or say nothing. `detail` goes into the reason phrase's place of a log, not on the wire. */
export type Verdict =
  | { readonly kind: 'fit' }
  | { readonly kind: 'refuse'; readonly status: number; readonly detail: string }
  | { readonly kind: 'drop'; readonly detail: string };

const FIT: Verdict = { kind: 'fit' };
const refuse = (status: number, detail: string): Verdict => ({ kind: 'refuse', status, detail });

const FAULT_STATUS: Readonly<Record<Malformed['code'], number>> = {
  empty: 400,
  'unterminated-head': 400,
  'head-too-large': 513,
  'body-too-large': 513,
  'too-many-headers': 513,
  'start-line': 400,
  version: 505,
  'header-line': 400,
  'content-length': 400,
  'body-short': 400,
};

/** Request-URIs longer than this get 414 (RFC 3261 21.4.12); contact tokens of this engine stay below 600. */
export const MAX_URI_LENGTH = 4096;

// RFC 3261 7.3.1 and 20: headers that may stand only once. A second one is a 400 (RFC 4475 3.3.8).
const SINGLE = new Map<string, number>(
  ['call-id', 'cseq', 'from', 'to', 'max-forwards', 'content-length', 'content-type', 'date', 'expires', 'event']
    .concat(['rack', 'rseq', 'session-expires', 'min-se', 'p-served-user', 'contribution-id', 'conversation-id'])
    .map((name, at) => [name, 1 << at]),
);

/** Judges a request before any transaction is made for it. */
export function validateRequest(request: SipRequest, fault: Malformed | undefined): Verdict {
  // Without a usable Via there is no way back (RFC 3261 18.2.2), and an ACK is never answered (17).
  if (request.via === undefined) return { kind: 'drop', detail: 'no usable Via' };
  const verdict = judge(request, fault);
  if (verdict.kind === 'refuse' && request.method === 'ACK') return { kind: 'drop', detail: verdict.detail };
  return verdict;
}

function judge(request: SipRequest, fault: Malformed | undefined): Verdict {
  if (fault !== undefined) return refuse(FAULT_STATUS[fault.code], fault.detail);
  const mandatory = judgeMandatory(request);
  if (mandatory !== undefined) return mandatory;
  return judgeUri(request) ?? judgeRouting(request) ?? judgeContact(request) ?? FIT;
}

function judgeMandatory(request: SipRequest): Verdict | undefined {
  let seen = 0;
  for (const field of request.headers) {
    const bit = SINGLE.get(field.name);
    if (bit === undefined) continue;
    if ((seen & bit) !== 0) return refuse(400, `more than one ${field.name} header`);
    seen |= bit;
  }
  const via = request.via;
  // RFC 4475 3.1.2.1: a Via that can be read in more than one way is a 400.
  if (via?.version !== '2.0' || !wellFormedParams(via.params)) return refuse(400, 'no usable Via');
  const callId = request.callId;
  if (callId === '' || callId.indexOf(' ') >= 0) return refuse(400, 'no usable Call-ID');
  if (!isUsable(request.from)) return refuse(400, 'no usable From');
  if (!isUsable(request.to)) return refuse(400, 'no usable To');
  const cseq = request.cseq;
  if (cseq === undefined) return refuse(400, 'no usable CSeq');
  // RFC 4475 3.1.2.17 and 3.1.2.18: the method in CSeq is the request's.
  if (cseq.method !== request.method) return refuse(400, `CSeq says ${cseq.method}, the request ${request.method}`);
  return undefined;
}

function isUsable(address: NameAddress | undefined): boolean {
  return address !== undefined && wellFormedParams(address.params) && parseUri(address.uri) !== undefined;
}

function judgeUri(request: SipRequest): Verdict | undefined {
  if (request.uri.length > MAX_URI_LENGTH) return refuse(414, `Request-URI of ${request.uri.length} characters`);
  const uri = parseUri(request.uri);
  if (uri === undefined) return refuse(400, 'no usable Request-URI');
  // RFC 3261 19.1.1 table 1: a Request-URI holds no URI headers.
  if (isSipUri(uri) && uri.headers !== '') return refuse(400, 'URI headers in the Request-URI');
  return undefined;
}

function judgeRouting(request: SipRequest): Verdict | undefined {
  const maxForwards = request.header('max-forwards');
  if (maxForwards !== undefined && !isAtMost(maxForwards, 255)) {
    return refuse(400, `not a Max-Forwards: ${maxForwards.slice(0, 20)}`);
  }
  const expires = request.header('expires');
  if (expires !== undefined && !isAtMost(expires, 2 ** 32 - 1)) {
    return refuse(400, `not an Expires: ${expires.slice(0, 20)}`);
  }
  for (const route of request.list('route')) {
    if (!isUsable(parseNameAddress(route))) return refuse(400, 'no usable Route');
  }
  return undefined;
}

function isAtMost(value: string, most: number): boolean {
  const number = decimal(value);
  return number !== undefined && number <= most;
}

function judgeContact(request: SipRequest): Verdict | undefined {
  const contacts = request.list('contact');
  for (const contact of contacts) {
    if (contact === '*' && request.method === 'REGISTER') continue;
    if (!isUsable(parseNameAddress(contact))) return refuse(400, 'no usable Contact');
  }
  if (request.method !== 'INVITE' || contacts.length === 1) return undefined;
  // RFC 3261 8.1.1.8: an INVITE has exactly one Contact; the dialog needs it. RFC 4475 3.4.1: a peer of RFC 2543, known
  // by its branch, may leave it out.
  const old = contacts.length === 0 && request.branch?.startsWith(MAGIC_COOKIE) !== true;
  return old ? undefined : refuse(400, 'an INVITE has exactly one Contact');
}

/** Judges a response; a broken one is dropped (RFC 3261 18.1.2), since nobody answers a response. */
export function validateResponse(response: SipResponse, fault: Malformed | undefined): Verdict {
  if (fault !== undefined) return { kind: 'drop', detail: fault.detail };
  const complete =
    response.via?.version === '2.0' &&
    response.cseq !== undefined &&
    response.callId !== '' &&
    response.from !== undefined &&
    response.to !== undefined;
  return complete ? FIT : { kind: 'drop', detail: 'response lacks Via, CSeq, Call-ID, From or To' };
}
