/** Answers toward the inviter: provisional, 200 (steps 2 to 6), refusals with their warnings. */
import type { LegName, SessionContext } from '../../../machines/session/context.ts';
import type { EffectOf } from '../../../machines/session/effects.ts';
import { type HeaderField, headerField } from '../../sip/message/header.ts';
import type { SipResponse } from '../../sip/message/message.ts';
import { quote } from '../../sip/message/params.ts';
import { reasonPhrase } from '../../sip/message/reason.ts';
import type { Payload } from '../../sip/port.ts';
import { answeredKey, bookOf, responseOf } from '../dossier.ts';
import type { ContactCipher, Identity } from '../identity.ts';
import { bodyToward, type Describing, descriptionOf, mergedAnswer, pruned, SDP_HEADERS } from './descriptions.ts';
import { contactValue, optionHeaders, passedHeaders, products, timerOfAnswer } from './headers.ts';

export interface Answering extends Describing {
  readonly contacts: ContactCipher;
}

/** A provisional response as the inviter gets it. */
export function composeProgress(received: SipResponse, by: Answering): Payload & { reason: string } {
  const contact = contactValue(received.contact, by.identity, by.contacts);
  const headers = [headerField('Contact', contact), ...passedHeaders(received)];
  const sdp = descriptionOf(received);
  return { reason: received.reason, headers, body: bodyToward('a', received, sdp, by) };
}

/** The inviter's 200, from one far answer or several. */
export function composeAnswer(effect: EffectOf<'answer'>, context: SessionContext, at: Answering): Payload | undefined {
  const by = context.ending === null ? at : withoutMedia(at);
  const [primary] = effect.from;
  const received = primary === undefined ? undefined : responseOf(by.dossier, answeredKey(primary));
  if (received === undefined) return undefined;
  // O-200B-5 T-200B-3: a SIP URI that resolves back to the one received.
  const contact = contactValue(received.contact, by.identity, by.contacts);
  bookOf(by.dossier, 'a').contact = contact;
  const timer = context.legs.a?.timer ?? null;
  const headers: HeaderField[] = [
    headerField('Contact', contact),
    // O-200B-3: our release (A-07: on the terminating side as well).
    headerField('Server', products(by.identity, received.header('server') ?? received.header('user-agent'))),
    // RFC 4028 9: Require only where the inviter has to refresh.
    ...optionHeaders(received, context.invite.timer.supported && timer?.refresher === 'peer'),
    ...(timer === null ? [] : [timerOfAnswer(timer)]),
    ...passedHeaders(received),
  ];
  if (effect.from.length === 1) {
    // O-200B-4 T-200B-2
    return { headers, body: bodyToward('a', received, pruned(descriptionOf(received), effect.without), by) };
  }
  const offer = bookOf(by.dossier, 'a').received;
  if (offer === null) return { headers, body: bodyToward('a', received, descriptionOf(received), by) };
  const answers = effect.from.flatMap((leg) => partialAnswer(leg, context, by));
  const others = headers.filter((field) => !field.name.startsWith('content-'));
  return { headers: [...others, ...SDP_HEADERS], body: mergedAnswer(offer, answers, by) };
}

/** A session that ends has no media any more: what it answered is said again as it was (RFC 3261 13.3.1.4). */
function withoutMedia(by: Answering): Answering {
  const { sent } = bookOf(by.dossier, 'a');
  return sent === null ? by : { ...by, media: { ...by.media, adapt: () => sent.text } };
}

function partialAnswer(leg: LegName, context: SessionContext, by: Answering) {
  const response = responseOf(by.dossier, answeredKey(leg));
  const sdp = response === undefined ? undefined : descriptionOf(response);
  return sdp === undefined ? [] : [{ sdp, streams: context.legs[leg]?.streams ?? null }];
}

/** A refusal of our own, with the headers its status asks for. */
export function composeRefusal(effect: EffectOf<'refuse'>, context: SessionContext, identity: Identity): Payload {
  const headers: HeaderField[] = [];
  // warn-code 399 and the text of the clause, byte for byte.
  if (effect.warning !== undefined)
    headers.push(headerField('Warning', `399 ${identity.host} ${quote(effect.warning)}`));
  const { require, proxyRequire } = context.invite.unsupported;
  if (effect.status === 420)
    headers.push(headerField('Unsupported', (context.mode === 'proxy' ? proxyRequire : require).join(', ')));
  if (effect.status === 422) headers.push(headerField('Min-SE', String(context.policy.timers.minSE)));
  if (effect.status === 503) headers.push(headerField('Retry-After', '10'));
  const why = context.policy.reasonText ? UNAVAILABLE[context.ending?.reason ?? ''] : undefined;
  if (why !== undefined) headers.push(headerField('Reason', `SIP;cause=480;text=${quote(why)}`));
  headers.push(headerField('Server', identity.products));
  return { headers };
}

/** What a 480 may say about itself, where the operator wants it to. */
const UNAVAILABLE: Readonly<Record<string, string>> = {
  dnd: 'Do not disturb',
  noClient: 'No client registered',
  noSuitableClient: 'No client suits the media',
};

/** The far side's refusal as the inviter gets it; ours, where nobody answered (RFC 3261 16.7 step 6). */
export function composeFailure(
  status: number,
  received: SipResponse | undefined,
): Payload & { status: number; reason: string } {
  if (received === undefined) return { status, reason: reasonPhrase(status), headers: [] };
  const headers = passedHeaders(received);
  // RFC 3261 21.3: the Contacts of a redirection are the caller's business.
  if (status < 400) headers.push(...received.lines('contact'));
  return { status, reason: received.reason, headers, body: received.body };
}
