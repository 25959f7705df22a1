/** The INVITE that goes on: 8.2.2.1 step 4 and 8.3.2.1 step 7 for a B2BUA, step 5 and step 8 for a proxy. */
import type { SessionContext } from '../../../machines/session/context.ts';
import type { EffectOf } from '../../../machines/session/effects.ts';
import { type HeaderField, headerField } from '../../sip/message/header.ts';
import type { SipRequest } from '../../sip/message/message.ts';
import { quote } from '../../sip/message/params.ts';
import type { OutgoingInvite } from '../../sip/port.ts';
import { forwardsLeft } from '../../sip/proxy/rules.ts';
import type { Dossier } from '../dossier.ts';
import { bookOf } from '../dossier.ts';
import type { ContactCipher } from '../identity.ts';
import type { DeferralPort, IsfPort } from '../ports.ts';
import { bodyToward, type Describing, descriptionOf, partialOffer, pruned, SDP_HEADERS } from './descriptions.ts';
import { contactValue, optionHeaders, passedHeaders, products, timerOfRequest } from './headers.ts';
import { redirectedHistory } from './history-info.ts';
import { proxiedTimerOfAnswer, proxiedTimerOfRequest } from './proxied-timer.ts';

export interface Inviting extends Describing {
  readonly contacts: ContactCipher;
  /** Route sets toward the SIP/IP core where the invitation brings none. */
  readonly coreRouteSets: readonly (readonly string[])[];
  readonly isf: IsfPort;
  readonly deferral?: DeferralPort | undefined;
}

type InviteEffect = EffectOf<'invite'>;

/** The INVITE of a B2BUA: a new request that says what the received one said. */
export function composeInvite(effect: InviteEffect, context: SessionContext, by: Inviting): OutgoingInvite | undefined {
  const received = by.dossier.invite;
  if (received === null) return undefined;
  const contact = contactValue(received.contact, by.identity, by.contacts);
  bookOf(by.dossier, effect.leg).contact = contact;
  const { se, minSE, refresher } = context.policy.timers;
  const smallest = Math.max(minSE, effect.minSE ?? 0, context.invite.timer.minSE ?? 0);
  const headers: HeaderField[] = [
    // O-INV-4e O-INV-4f T-INV-7c-i T-INV-7c-ii: the parameters of the client's Contact, our URI.
    headerField('Contact', contact),
    // O-INV-4d: our release; the client's tokens stay behind it.
    headerField('User-Agent', products(by.identity, received.header('user-agent'))),
    ...optionHeaders(received, false),
    ...timerOfRequest(Math.max(se, smallest), smallest, refresher),
    ...invitationHeaders(received, effect, by.dossier),
    // Who is away: the Request-URI may be another of the user's addresses.
    ...(effect.by === 'deferral'
      ? [headerField('P-Served-User', `<${served(context, by.dossier)}>;sescase=term`)]
      : []),
  ];
  return {
    // O-INV-4a T-INV-7a: the received Request-URI.
    uri: effect.target ?? by.dossier.destination,
    from: received.fromAddress,
    to: received.toAddress,
    maxForwards: forwardsLeft(received),
    headers: effect.streams === null ? headers : withoutBodyHeaders(headers),
    // O-INV-4g T-INV-7c-iii O-200B-1b-ii T-200I-2b-i
    body: offerToward(effect, received, by),
    routeSets: routeSetsOf(effect, by),
  };
}

const served = ({ profile }: SessionContext, dossier: Dossier): string => profile?.user ?? dossier.served;

function offerToward(effect: InviteEffect, received: SipRequest, by: Inviting): Uint8Array {
  const sdp = descriptionOf(received);
  if (effect.streams !== null && sdp !== undefined) return partialOffer(effect.leg, sdp, effect.streams, by);
  return bodyToward(effect.leg, received, pruned(sdp, effect.without), by);
}

/** A partial offer stands alone: the parts of the first invitation beside it were delivered with that one. */
function withoutBodyHeaders(headers: readonly HeaderField[]): HeaderField[] {
  const others = headers.filter((field) => !field.name.startsWith('content-') && field.name !== 'mime-version');
  return [...others, ...SDP_HEADERS];
}

/** Where the INVITE goes: the routes it came with, else the core's; the ISF directly (6.5). */
function routeSetsOf(effect: InviteEffect, by: Inviting): readonly (readonly string[])[] {
  if (effect.by === 'isf') return by.isf.routeSets();
  if (effect.by === 'deferral') return by.deferral?.routeSets ?? [];
  if (by.dossier.routes.length > 0) return [by.dossier.routes];
  return by.coreRouteSets;
}

/** The headers that pass, with what the terminating side adds for the core's forking (7c-iv, 7c-v). */
function invitationHeaders(received: SipRequest, effect: InviteEffect, dossier: Dossier): HeaderField[] {
  const passed = withHistory(
    passedHeaders(received).filter((field) => dossier.trusted || field.name !== 'p-asserted-identity'),
    received,
    effect,
  );
  if (effect.by === 'replacedClient') return [...withoutDisposition(passed), ...towardInstance(effect.instance ?? '')];
  if (effect.rejectInstances === undefined) return passed;
  return [...withoutDisposition(passed), ...towardSuitable(effect.rejectInstances, received)];
}

/** The headers with the redirection in their History-Info, where there is either. */
function withHistory(headers: readonly HeaderField[], received: SipRequest, effect: InviteEffect): HeaderField[] {
  const history = effect.target === undefined ? [] : redirectedHistory(received, effect.target);
  if (history.length === 0) return [...headers];
  return [...headers.filter((field) => field.name !== 'history-info'), ...history];
}

/** T-INV-7c-v-1a, -1b, T-INV-8b-ii-1a, -1b: one Reject-Contact for each unsuitable instance. */
export function towardSuitable(rejected: readonly string[], received: SipRequest): HeaderField[] {
  const kept = received
    .list('request-disposition')
    .filter((directive) => !/^(no-)?(fork|parallel)$|^sequential$/i.test(directive));
  return [
    ...rejected.map((instance) => headerField('Reject-Contact', `*;+sip.instance=${quote(instance)}`)),
    headerField('Request-Disposition', [...kept, 'fork', 'parallel'].join(', ')),
  ];
}

/** T-INV-7c-iv, T-INV-8b-i: the one client on which the session lives. */
export function towardInstance(instance: string): HeaderField[] {
  return [
    headerField('Accept-Contact', `*;+sip.instance=${quote(instance)};require;explicit`),
    headerField('Request-Disposition', 'no-fork'),
  ];
}

function withoutDisposition(headers: readonly HeaderField[]): HeaderField[] {
  return headers.filter((field) => field.name !== 'request-disposition');
}

/** The INVITE a proxy forwards: as received, but for its route and the core's forking headers. */
export function composeForward(
  effect: InviteEffect,
  received: SipRequest,
  context: SessionContext,
  by: Inviting,
): { request: SipRequest; routeSets: readonly (readonly string[])[]; answerTimer?: number } {
  const request = received.copy();
  if (!by.dossier.trusted) {
    request.remove('p-asserted-identity');
    // Digest 3.2: a proxy adds no Message-UID, and passes that of a trusted peer.
    request.remove('message-uid');
  }
  request.remove('p-served-user');
  request.uri = effect.target ?? by.dossier.destination;
  if (effect.target !== undefined) request.headers = withHistory(request.headers, received, effect);
  if (effect.by === 'replacedClient' || effect.rejectInstances !== undefined) {
    request.remove('request-disposition');
    const added =
      effect.by === 'replacedClient'
        ? towardInstance(effect.instance ?? '')
        : towardSuitable(effect.rejectInstances ?? [], received);
    request.headers.push(...added);
  }
  proxiedTimerOfRequest(request, context);
  const answerTimer = proxiedTimerOfAnswer(context);
  const forward = { request, routeSets: routeSetsOf(effect, by) };
  return answerTimer === undefined ? forward : { answerTimer, ...forward };
}
