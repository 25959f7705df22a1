/** Sessions at one function: which invitations belong together, and which leg each message is on. */
import type { SipRequest } from '../../sip/message/message.ts';
import { parseVia, type Via } from '../../sip/message/via.ts';
import type { Heard, SipSaid } from '../dissector.ts';
import { type Descent, descentOf, type Invitation, invitationOf, isInvitation } from './invitations.ts';
import type { Parties } from './parties.ts';
import { type CapturedLeg, CapturedSession, keyIn } from './session.ts';

/** Latest sessions that are looked through for what an invitation was made of. */
const LOOKED_BACK = 256;

/** As long as an INVITE is remembered, 64*T1. */
const MERGED_MS = 32_000;

interface Place {
  readonly session: CapturedSession;
  readonly leg: CapturedLeg;
}

/** Sessions at a function, in the order in which they began; and messages of dialogs that began before the capture. */
export interface SessionsSeen {
  readonly sessions: readonly CapturedSession[];
  readonly strangers: number;
}

export function sessionsAt(node: string, heard: readonly Heard[], parties: Parties): SessionsSeen {
  const grouping = new Grouping(node, parties);
  for (const each of heard) {
    if (each.kind !== 'sip') continue;
    // One that the function sends itself is seen twice, as it leaves and as it comes.
    if (parties.of(each.from) === node) grouping.take(each, 'out');
    if (parties.of(each.to) === node) grouping.take(each, 'in');
  }
  return { sessions: grouping.sessions, strangers: grouping.strangers };
}

class Grouping {
  readonly sessions: CapturedSession[] = [];
  strangers = 0;
  readonly #node: string;
  readonly #parties: Parties;
  readonly #transactions = new Map<string, Place>();
  readonly #byCallId = new Map<string, Place[]>();
  readonly #byKey = new Map<string, CapturedSession>();
  /** Sessions by what relates invitations: Contribution-ID, or who calls whom. */
  readonly #related = new Map<string, CapturedSession[]>();

  constructor(node: string, parties: Parties) {
    this.#node = node;
    this.#parties = parties;
  }

  take(heard: SipSaid, way: 'in' | 'out'): void {
    const place = this.#placeOf(heard, way);
    if (place === undefined) {
      if (heard.message.kind === 'request') this.strangers++;
      return;
    }
    const { message } = heard;
    if (message.kind === 'request') this.#transactions.set(transactionOf(heard, way), place);
    else if (message.cseq?.method === 'INVITE' && message.toTag !== undefined) place.leg.answered.add(message.toTag);
    if (message.kind === 'response' && message.status >= 200 && place.leg.name === 'a') place.session.settled = true;
    place.session.note({ heard, way, leg: place.leg.name });
    if (place.session.key !== undefined) this.#byKey.set(place.session.key, place.session);
  }

  #placeOf(heard: SipSaid, way: 'in' | 'out'): Place | undefined {
    const known = this.#transactions.get(transactionOf(heard, way));
    if (known !== undefined) return known;
    if (isInvitation(heard)) return this.#invited(invitationOf(heard, this.#parties), way);
    const places = this.#byCallId.get(heard.message.callId) ?? [];
    return places.length < 2 ? places[0] : this.#fitting(places, heard, way);
  }

  /** A dialog that passes the function twice, as for both its users, is a leg of two sessions. */
  #fitting(places: readonly Place[], heard: SipSaid, way: 'in' | 'out'): Place | undefined {
    const peer = this.#parties.of(way === 'in' ? heard.from : heard.to);
    const inDialog = places.filter(({ leg }) => isInDialog(leg, heard.message));
    const sided = inDialog.filter(({ session, leg }) =>
      session.mode === 'proxy' ? leg.name === sideOf(session, heard, way) : hasTagsOf(leg, heard, way),
    );
    const fitting = this.#onItsWay(sided, heard.message, way);
    // Who invited meets the sessions of one dialog in their order, who was invited from behind.
    const byInvited = fitting.some(({ session }) => sideOf(session, heard, 'in') === 'b');
    const ordered = byInvited ? [...fitting].reverse() : fitting;
    return ordered.find(({ leg }) => leg.peer === peer) ?? ordered[0] ?? places[0];
  }

  /** What leaves is of the session that it came in for; what comes back is not of the session that it left. */
  #onItsWay(places: readonly Place[], message: SipSaid['message'], way: 'in' | 'out'): readonly Place[] {
    const vias = viasOf(message);
    const of = (direction: 'in' | 'out', via: string): CapturedSession | undefined =>
      this.#transactions.get(`${direction} ${via}`)?.session;
    const left = vias.map((via) => of('out', via));
    const came = of('in', vias[1] ?? '');
    return places.filter(({ session }) => {
      if (way === 'in') return !left.includes(session);
      // A proxy begins nothing of its own.
      return came === undefined ? vias.length > 1 || session.mode !== 'proxy' : session === came;
    });
  }

  #invited(invitation: Invitation, way: 'in' | 'out'): Place {
    const again = this.#saidAgain(invitation, way);
    if (again !== undefined) return again;
    if (way === 'in') return this.#begin(invitation, 'near');
    const parent = this.#parentOf(invitation);
    if (parent === undefined) return this.#begin(invitation, 'far');
    parent.session.mode ??= parent.descent;
    return this.#add(parent.session, 'far', invitation);
  }

  /**
   * What we send again under another number, as after a 422, is of the same leg; whoever invites us again begins another
   * session. The same number by another way is refused as merged (RFC 3261 8.2.2.2), unless we have sent it ourselves.
   */
  #saidAgain({ request, from, to, heard }: Invitation, way: 'in' | 'out'): Place | undefined {
    return this.#byCallId.get(request.callId)?.findLast(({ leg }) => {
      const before = leg.invitation;
      if ((leg.name === 'a') !== (way === 'in') || before.request.fromTag !== request.fromTag) return false;
      const [was, is] = [numberOf(before.request), numberOf(request)];
      if (way === 'out')
        return was < is && before.from === from && before.to === to && request.list('via').length === 1;
      const soon = heard.at - before.heard.at < MERGED_MS;
      return was === is && soon && this.#hasLeft(request) === this.#hasLeft(before.request);
    });
  }

  #hasLeft(request: SipRequest): boolean {
    return viasOf(request).some((via) => this.#transactions.has(`out ${via}`));
  }

  #parentOf(invitation: Invitation): { session: CapturedSession; descent: Descent } | undefined {
    // Passed on, it has the Via of the one that came.
    const came = viasOf(invitation.request)
      .slice(1)
      .map((via) => this.#transactions.get(`in ${via}`)?.session);
    const passedOn = came.find((session) => session !== undefined);
    if (passedOn !== undefined) return { session: passedOn, descent: 'proxy' };
    const key = keyIn(invitation.heard);
    const named = key === undefined ? undefined : this.#byKey.get(key);
    const related = this.#related.get(relationOf(invitation.request))?.slice(-LOOKED_BACK) ?? [];
    // Of two that came under one Contribution-ID, the first is the first to be sent anew.
    const waiting = related.filter(({ settled, legs }) => !settled && legs.length === 1);
    for (const session of [...(named === undefined ? [] : [named]), ...waiting, ...related.reverse()]) {
      const begun = session.leg('a')?.invitation;
      const descent = begun === undefined ? undefined : descentOf(begun, invitation);
      if (descent !== undefined) return { session, descent };
    }
    return undefined;
  }

  #begin(invitation: Invitation, side: 'near' | 'far'): Place {
    const session = new CapturedSession(this.#node, this.sessions.length + 1);
    this.sessions.push(session);
    const name = relationOf(invitation.request);
    const related = this.#related.get(name);
    if (related === undefined) this.#related.set(name, [session]);
    else related.push(session);
    return this.#add(session, side, invitation);
  }

  #add(session: CapturedSession, side: 'near' | 'far', invitation: Invitation): Place {
    const place = { session, leg: session.addLeg(side, invitation) };
    const { callId } = invitation.request;
    const places = this.#byCallId.get(callId);
    if (places === undefined) this.#byCallId.set(callId, [place]);
    else places.push(place);
    return place;
  }
}

/** Name under which invitations are found that a B2BUA may have made of each other. */
function relationOf(request: SipRequest): string {
  const contribution = request.header('contribution-id');
  return contribution === undefined ? `${request.from?.uri} ${request.to?.uri}` : `contribution ${contribution}`;
}

/** RFC 3261 17.1.3: responses belong to the request with their branch; CANCEL and ACK of a refusal have the INVITE's. */
function transactionOf({ message }: SipSaid, way: 'in' | 'out'): string {
  const asked = message.kind === 'request' ? way : way === 'in' ? 'out' : 'in';
  return `${asked} ${nameOf(message.via)}`;
}

/** Each Via, the latest first, as transactions are named. */
function viasOf(message: SipSaid['message']): string[] {
  return message.list('via').map((value) => nameOf(parseVia(value)));
}

function nameOf(via: Via | undefined): string {
  return via === undefined ? '' : `${via.branch ?? ''} ${via.host}:${via.port ?? ''}`;
}

/** Whether a message is in a dialog of this leg's invitation. The same Call-ID may have invited before, in vain. */
function isInDialog({ invitation, answered }: CapturedLeg, { fromTag = '', toTag = '' }: SipSaid['message']): boolean {
  const inviter = invitation.request.fromTag;
  if (fromTag !== inviter && toTag !== inviter) return false;
  return answered.size === 0 || answered.has(fromTag === inviter ? toTag : fromTag);
}

/** Whether a message is of this leg by its tags: the inviter's is our own on a far leg, and the peer's on the near one. */
function hasTagsOf(leg: CapturedLeg, { message }: SipSaid, way: 'in' | 'out'): boolean {
  const answersUs = (way === 'in') === (message.kind === 'response');
  const [own, peers] = answersUs ? [message.fromTag, message.toTag] : [message.toTag, message.fromTag];
  return (leg.name === 'a' ? peers : own) === leg.invitation.request.fromTag;
}

/** In a dialog that is only passed on, the inviter's tag tells the sides apart. */
function sideOf(session: CapturedSession, { message }: SipSaid, way: 'in' | 'out'): string {
  const byInviter = message.fromTag === session.legs[0]?.invitation.request.fromTag;
  const towardUs = (way === 'in') === (message.kind === 'request');
  return towardUs === byInviter ? 'a' : 'b';
}

const numberOf = (request: SipRequest): number => request.cseq?.number ?? 0;
