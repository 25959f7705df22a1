/**
 * From what happened on the wire to what the statechart hears: facts in the event, the message itself in the dossier,
 * where the effect that needs it will find it.
 */
import type { LegName, SessionContext } from '../../machines/session/context.ts';
import type { SessionEvent } from '../../machines/session/events.ts';
import { relayFrom } from '../../machines/session/relays.ts';
import { sameDescription } from '../sdp/mediate.ts';
import { acceptedStreams, offeredStreams } from '../sdp/streams.ts';
import { addressParam, parseNameAddress } from '../sip/message/address.ts';
import { detached } from '../sip/message/header.ts';
import type { SipRequest, SipResponse } from '../sip/message/message.ts';
import { isSipUri, parseUri, sameUri } from '../sip/message/uri.ts';
import type { ExchangeId, SipEvent } from '../sip/port.ts';
import { descriptionOf } from './compose/descriptions.ts';
import {
  ackKey,
  answeredKey,
  bookOf,
  type Dossier,
  dropRelayed,
  failedKey,
  provisionalKey,
  requestKey,
  responseKey,
  settleAnswer,
} from './dossier.ts';
import { instanceOf, minSEOf, timerFacts } from './facts.ts';
import type { Reading } from './invitation.ts';

/** An event without its stamp; the session numbers and dates it. */
export type Unstamped = SessionEvent extends infer E
  ? E extends SessionEvent
    ? Omit<E, 'step' | 'at'>
    : never
  : never;

const NO_TIMER = { supported: false, se: null, minSE: null, refresher: null } as const;

/** The session's event for an event of one of its legs. `leg` is its short name. */
export function translate(
  event: Exclude<SipEvent, { type: 'invite' | 'outside' | 'outsideAnswered' }>,
  leg: LegName,
  context: SessionContext,
  dossier: Dossier,
  by: Reading,
): Unstamped {
  switch (event.type) {
    case 'provisional': {
      const { fork, response, reliable } = event;
      const { status } = response;
      // A proxy passes on what it has, and keeps nothing of it.
      if (!reliable || context.mode !== 'b2bua') {
        dossier.messages.set(provisionalKey(leg, fork), response);
        return { type: 'provisional', leg, fork, status, reliable };
      }
      const rseq = Number(response.header('rseq'));
      dossier.messages.set(provisionalKey(leg, fork, rseq), response);
      return { type: 'provisional', leg, fork, status, reliable, rseq };
    }
    case 'answered':
      return translateAnswer(event.response, event.fork, leg, context, dossier);
    case 'failed':
      return translateFailure(event.status, event.response, leg, dossier, by);
    case 'acknowledged': {
      const sdp = descriptionOf(event.request);
      if (sdp !== undefined) bookOf(dossier, leg).received = sdp;
      dossier.messages.set(ackKey(leg), event.request);
      if (leg === 'a') settleAnswer(dossier);
      for (const relay of context.relays) if (relay.from === leg && relay.answered) dropRelayed(dossier, relay);
      return { type: 'acknowledged', leg };
    }
    case 'unacknowledged':
      if (leg === 'a') settleAnswer(dossier);
      return { type: 'unacknowledged', leg };
    case 'cancelled':
      dossier.reason = reasonOf(event.request);
      return { type: 'cancelled', leg };
    case 'exchangeCancelled':
      return { type: 'exchangeCancelled', leg, exchange: event.exchange };
    case 'bye':
      dossier.reason = reasonOf(event.request);
      if (leg === 'a') settleAnswer(dossier);
      return { type: 'bye', leg, exchange: event.exchange };
    case 'request':
      return translateRequest(event, leg, context, dossier);
    case 'response': {
      const { exchange, status, response } = event;
      if (response === undefined) return unanswered(leg, exchange, status);
      const sdp = status < 300 ? descriptionOf(response) : undefined;
      if (sdp !== undefined) bookOf(dossier, leg).received = sdp;
      dossier.messages.set(responseKey(leg, exchange), response);
      return { type: 'response', leg, exchange, status, timer: timerFacts(response), minSE: minSEOf(response) };
    }
  }
}

/** A request of ours inside the dialog ends without a response. */
export function unanswered(leg: LegName, exchange: ExchangeId, status: number): Unstamped {
  return { type: 'response', leg, exchange, status, timer: NO_TIMER, minSE: null };
}

function translateAnswer(
  response: SipResponse,
  fork: number,
  leg: LegName,
  context: SessionContext,
  dossier: Dossier,
): Unstamped {
  const answer = descriptionOf(response);
  const offer = bookOf(dossier, leg).sent?.text;
  if (answer !== undefined) bookOf(dossier, leg).received = answer;
  dossier.messages.set(answeredKey(leg), response);
  if (context.role === 'term' && context.legs[leg]?.peer === 'client') dossier.instance ??= instanceOf(response);
  dossier.papers.farContact ??= response.contact === undefined ? null : detached(response.contact.uri);
  // A late offer is answered in the ACK: what came is an offer, and all of it stands.
  const late = context.invite.streams === null;
  const accepted = answer === undefined || offer === undefined || late ? null : acceptedStreams(offer, answer);
  return {
    type: 'answered',
    leg,
    fork,
    status: response.status,
    accepted,
    offered: late && answer !== undefined ? offeredStreams(answer) : null,
    timer: timerFacts(response),
    allowsUpdate: response.lists('allow', 'UPDATE'),
  };
}

function translateFailure(
  status: number,
  response: SipResponse | undefined,
  leg: LegName,
  dossier: Dossier,
  by: Reading,
): Unstamped {
  if (response !== undefined) dossier.messages.set(failedKey(leg), response);
  return {
    type: 'failed',
    leg,
    status,
    redirects: response === undefined || status >= 400 ? [] : redirectTargets(response, triedBy(leg, dossier), by),
    minSE: response === undefined ? null : minSEOf(response),
    silent: response === undefined,
  };
}

/** Where the invitation went by this leg, and at first. */
function triedBy(leg: LegName, dossier: Dossier): string[] {
  const target = dossier.invites[leg]?.target;
  return target === undefined ? [dossier.destination] : [dossier.destination, target];
}

/** Contacts by q, those we have tried left out. A Contact of ours stands for the one inside it, or is left out. */
function redirectTargets(response: SipResponse, tried: readonly string[], by: Reading): string[] {
  return response
    .list('contact')
    .flatMap((value) => {
      const address = parseNameAddress(value);
      const target = address === undefined ? undefined : redirectTarget(address.uri, by);
      if (address === undefined || target === undefined || tried.some((uri) => sameUri(target, uri))) return [];
      const q = Number(addressParam(address, 'q') ?? '1');
      return [{ uri: target, q: Number.isFinite(q) ? q : 1 }];
    })
    .sort((a, b) => b.q - a.q)
    .map((target) => target.uri);
}

function redirectTarget(text: string, by: Reading): string | undefined {
  const uri = parseUri(text);
  if (uri === undefined || !isSipUri(uri)) return undefined;
  if (!by.isOwn(uri.host, uri.port)) return text;
  return uri.user === undefined ? undefined : by.contacts.open(uri.user);
}

function translateRequest(
  { request, exchange, fork }: Extract<SipEvent, { type: 'request' }>,
  leg: LegName,
  { relays }: SessionContext,
  dossier: Dossier,
): Unstamped {
  // What is under way to the other side needs nothing of a copy.
  if (relayFrom(relays, leg, exchange) !== undefined) {
    return { type: 'request', leg, fork, exchange, method: request.method, offer: 'none', timer: NO_TIMER };
  }
  const sdp = descriptionOf(request);
  const book = bookOf(dossier, leg);
  const offer =
    sdp === undefined ? 'none' : book.received !== null && sameDescription(book.received, sdp) ? 'same' : 'changed';
  if (sdp !== undefined && (request.method === 'INVITE' || request.method === 'UPDATE')) book.received = sdp;
  dossier.messages.set(requestKey(leg, exchange), request);
  return { type: 'request', leg, fork, exchange, method: request.method, offer, timer: timerFacts(request) };
}

/** RFC 3326: why the peer ended it, for the other side. */
function reasonOf(request: SipRequest): string | null {
  const reason = request.header('reason');
  return reason === undefined ? null : detached(reason);
}
