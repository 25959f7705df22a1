/** Requests and responses inside the dialogs, from one leg to the other (digest 3.9). */
import type { LegName, SessionContext } from '../../../machines/session/context.ts';
import { bytesOfWire } from '../../sip/message/bytes.ts';
import { type HeaderField, headerField } from '../../sip/message/header.ts';
import type { AnyMessage, SipRequest, SipResponse } from '../../sip/message/message.ts';
import type { Payload } from '../../sip/port.ts';
import { bookOf } from '../dossier.ts';
import type { Answering } from './answers.ts';
import { bodyToward, descriptionOf, rejection, SDP_HEADERS } from './descriptions.ts';
import { contactValue, optionHeaders, passedHeaders, timerOfAnswer, timerOfRequest } from './headers.ts';

/** RFC 3261 table 3 and RFC 3311, 3515, 6665: requests that carry a Contact. */
const WITH_CONTACT = ['INVITE', 'UPDATE', 'REFER', 'SUBSCRIBE', 'NOTIFY'];

export function composeRelayedRequest(
  received: SipRequest,
  to: LegName,
  context: SessionContext,
  by: Answering,
): Payload {
  const headers: HeaderField[] = [...contactHeaders(received, to, by)];
  if (received.method === 'INVITE' || received.method === 'UPDATE') {
    headers.push(...optionHeaders(received, false), ...timerToward(to, context));
  } else if (received.has('supported') || received.has('require')) headers.push(...optionHeaders(received, false));
  headers.push(...passedHeaders(received));
  return { headers, body: bodyToward(to, received, descriptionOf(received), by) };
}

function timerToward(to: LegName, context: SessionContext): HeaderField[] {
  const timer = context.legs[to]?.timer ?? null;
  const { se, minSE } = context.policy.timers;
  return timerOfRequest(timer?.se ?? se, Math.max(minSE, timer?.minSE ?? 0), timer?.refresher ?? 'us');
}

/** Our Contact toward a leg: the one its dialog already has, or one for the Contact that just came. */
function contactHeaders(received: AnyMessage, to: LegName, by: Answering): HeaderField[] {
  const method = received.kind === 'request' ? received.method : (received.cseq?.method ?? '');
  const given = received.list('contact').length > 0;
  if (!WITH_CONTACT.includes(method) || (!given && method !== 'INVITE')) return [];
  const book = bookOf(by.dossier, to);
  if (given) book.contact = contactValue(received.contact, by.identity, by.contacts);
  return [headerField('Contact', book.contact ?? `<sip:${by.identity.contact}>`)];
}

export function composeRelayedResponse(
  received: SipResponse,
  to: LegName,
  context: SessionContext,
  by: Answering,
): Payload {
  const method = received.cseq?.method ?? '';
  const headers: HeaderField[] = received.status < 300 ? [...contactHeaders(received, to, by)] : [];
  if (received.status < 300 && (method === 'INVITE' || method === 'UPDATE')) {
    const timer = context.legs[to]?.timer ?? null;
    headers.push(...optionHeaders(received, timer?.refresher === 'peer'));
    if (timer !== null) headers.push(timerOfAnswer(timer));
  }
  headers.push(...passedHeaders(received));
  return { headers, body: bodyToward(to, received, descriptionOf(received), by) };
}

/** RFC 4028 7.4: a request of ours that renews the session and changes nothing. */
export function composeRefresh(
  leg: LegName,
  method: 'UPDATE' | 'INVITE',
  context: SessionContext,
  by: Answering,
): Payload {
  const book = bookOf(by.dossier, leg);
  const timer = context.legs[leg]?.timer ?? null;
  const { se, minSE } = context.policy.timers;
  const headers = [
    headerField('Contact', book.contact ?? `<sip:${by.identity.contact}>`),
    headerField('Supported', 'timer'),
    ...timerOfRequest(timer?.se ?? se, Math.max(minSE, timer?.minSE ?? 0), 'us'),
  ];
  if (method === 'UPDATE' || book.sent === null) return { headers };
  return { headers: [...headers, ...SDP_HEADERS], body: bytesOfWire(book.sent.text) };
}

/** A 200 that says again what was agreed. */
export function composeConfirmation(
  request: SipRequest,
  leg: LegName,
  context: SessionContext,
  by: Answering,
): Payload {
  const book = bookOf(by.dossier, leg);
  const timer = context.legs[leg]?.timer ?? null;
  const headers = [
    headerField('Contact', book.contact ?? `<sip:${by.identity.contact}>`),
    headerField('Supported', 'timer'),
  ];
  if (timer !== null) {
    if (timer.refresher === 'peer' && request.lists('supported', 'timer'))
      headers.push(headerField('Require', 'timer'));
    headers.push(timerOfAnswer(timer));
  }
  if (request.method !== 'INVITE' || book.sent === null) return { headers };
  return { headers: [...headers, ...SDP_HEADERS], body: bytesOfWire(book.sent.text) };
}

/** A re-INVITE of ours with a description. */
export function composeReoffer(leg: LegName, body: Uint8Array, context: SessionContext, by: Answering): Payload {
  const refresh = composeRefresh(leg, 'UPDATE', context, by);
  return { headers: [...refresh.headers, ...SDP_HEADERS], body };
}

/**
 * An ACK, with the description of the near one where the offer was late. Where there is no near one, the
 * session ends before it began: a late offer is then rejected line by line.
 */
export function composeAck(
  near: SipRequest | undefined,
  to: LegName,
  context: Pick<SessionContext, 'invite'>,
  by: Answering,
): Payload {
  const { sent, received } = bookOf(by.dossier, to);
  if (near === undefined && context.invite.streams === null && sent === null && received !== null) {
    return { headers: SDP_HEADERS, body: rejection(to, received, by) };
  }
  const sdp = near === undefined ? undefined : descriptionOf(near);
  if (near === undefined || sdp === undefined) return { headers: [] };
  const type = near.lines('content-type');
  return { headers: type, body: bodyToward(to, near, sdp, by) };
}
