/**
 * An Interworking Function: a SIP user agent whose far end is no CPM client. It answers the INVITEs that the ISF sends
 * it, each with a dialog of its own, and invites a CPM user where the far end begins.
 */
import type { MsrpIdentifiers } from '../../../msrp/message/identifiers.ts';
import { msrpLines } from '../../../sdp/msrp-lines.ts';
import type { ListeningSipStack, SipEvent, SipRequest } from '../../../sip/index.ts';
import { sdpOf } from '../../../sip/message/body.ts';
import { bytesOfWire } from '../../../sip/message/bytes.ts';
import type { LegId } from '../../../sip/port.ts';
import type { Clock } from '../../../time/clock.ts';
import { guarded, type ReferenceLog, type Tally } from '../log.ts';
import { type OfferedStream, offeredStreams } from '../offer.ts';
import type { Refusal } from '../selection.ts';
import type { Contact, Correspondence } from './correspondence.ts';
import { answerTo, connectsToOfferer, type Own } from './describing.ts';
import type { MsrpDoor } from './door.ts';
import { ALLOW, answerHeaders, identitiesOf, refusalHeaders } from './headers.ts';
import { Invitations } from './invitations.ts';
import type { Service } from './service.ts';
import { type Ending, Session } from './session.ts';

export interface IwfLimits {
  readonly sessions: number;
  /** ms without a message either way. */
  readonly idleMs: number;
  /** ms a media connection may be missing. */
  readonly reconnectMs: number;
  /** ms a user may ring. */
  readonly ringingMs: number;
}

export interface IwfOptions {
  readonly service: Service;
  readonly stack: ListeningSipStack;
  readonly door: MsrpDoor;
  readonly clock: Clock;
  readonly msrpIdentifiers: MsrpIdentifiers;
  /** Where a Request-URI leads at the far end; undefined for one that leads nowhere here. */
  readonly addressOf: (uri: string) => string | undefined;
  /** Which streams are taken. */
  readonly takes: (stream: OfferedStream) => boolean;
  /** Next hop toward CPM users, a SIP URI; undefined: none is ever invited. */
  readonly core: string | undefined;
  readonly limits: IwfLimits;
  readonly correspondence: Correspondence;
  readonly log: ReferenceLog;
  readonly tally: Tally;
}

export class Iwf {
  readonly service: Service;
  readonly door: MsrpDoor;
  readonly clock: Clock;
  readonly msrpIdentifiers: MsrpIdentifiers;
  readonly limits: IwfLimits;
  readonly log: ReferenceLog;
  readonly tally: Tally;
  readonly stack: ListeningSipStack;
  readonly invitations: Invitations;
  readonly correspondence: Correspondence;
  readonly #addressOf: IwfOptions['addressOf'];
  readonly #takes: IwfOptions['takes'];
  readonly #sessions = new Map<LegId, Session>();
  #refusing = false;

  constructor(options: IwfOptions) {
    this.service = options.service;
    this.stack = options.stack;
    this.door = options.door;
    this.clock = options.clock;
    this.msrpIdentifiers = options.msrpIdentifiers;
    this.limits = options.limits;
    this.log = options.log;
    this.tally = options.tally;
    this.correspondence = options.correspondence;
    this.#addressOf = options.addressOf;
    this.#takes = options.takes;
    this.invitations = new Invitations(this, options.core);
    this.stack.onEvent(guarded((event) => this.#on(event), this.log, this.tally));
  }

  get sessions(): ReadonlyMap<LegId, Session> {
    return this.#sessions;
  }

  get full(): boolean {
    return this.#refusing || this.#sessions.size >= this.limits.sessions;
  }

  /** Streams at places of a description, as we write them. */
  own({ leg, version }: Session): Own {
    const { host, ports } = this.door.network;
    // RFC 4566 5.2: a numeric id, the same for all descriptions of one session.
    const id = String([...leg].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 0x7fffffff, 7));
    return { host, port: ports[0] ?? 0, id, version, maxBytes: this.service.maxBytes };
  }

  add(session: Session): void {
    this.#sessions.set(session.leg, session);
    this.tally.add(`${this.service.name}.sessions`);
  }

  #on(event: SipEvent): void {
    if (event.type === 'invite') return this.#onInvite(event.leg, event.request, event.source.trusted);
    if (event.type === 'outside') {
      const status = event.request.method === 'OPTIONS' ? 200 : 405;
      return this.stack.execute({ type: 'reply', exchange: event.exchange, status, headers: [ALLOW] });
    }
    if (event.type === 'outsideAnswered') return;
    const session = this.#sessions.get(event.leg);
    if (session !== undefined) this.#inSession(session, event);
  }

  #inSession(session: Session, event: Exclude<SipEvent, { type: 'invite' | 'outside' | 'outsideAnswered' }>): void {
    const { leg } = session;
    switch (event.type) {
      case 'acknowledged':
        return session.confirm();
      case 'unacknowledged':
        return this.end(session, 'unacknowledged');
      case 'bye':
        this.stack.execute({ type: 'respond', leg, exchange: event.exchange, status: 200, headers: [] });
        return this.over(session, 'peer');
      case 'request':
        return this.#onRequest(session, event.exchange, event.request);
      case 'answered':
        return this.invitations.answered(session, event.response);
      case 'failed':
        return this.invitations.failed(session, event.status);
    }
  }

  // --- sessions the ISF sends us --------------------------------------------------------------------------------

  #onInvite(leg: LegId, request: SipRequest, trusted: boolean): void {
    const verdict = this.#judge(request, trusted);
    if ('status' in verdict) {
      this.tally.add(`${this.service.name}.sessionsRefused`);
      this.log.info({ iwf: this.service.name, session: leg, ...verdict }, 'session refused');
      const headers = refusalHeaders(verdict, this.stack.contact);
      return this.stack.execute({ type: 'refuse', leg, status: verdict.status, headers });
    }
    const { address, offer } = verdict;
    const session = this.#sessionOf(leg, request, address);
    this.add(session);
    for (const { index } of offeredStreams(offer).filter(this.#takes)) session.stream(index);
    this.#answer(session, offer);
    const answer = { headers: answerHeaders(this.stack.contact), body: bytesOfWire(session.described) };
    this.stack.execute({ type: 'answer', leg, fork: 0, status: 200, ...answer });
    const streams = session.streams.size;
    this.log.info({ iwf: this.service.name, session: leg, streams, user: session.contact.user }, 'session begun');
  }

  #judge(request: SipRequest, trusted: boolean): Refusal | { readonly address: string; readonly offer: string } {
    // RFC 3325 5: who the user is, and where answers go, stands in headers that only a trusted peer may set.
    if (!trusted) return { status: 403, why: 'the peer is not in sip.trusted' };
    if (this.invitations.hasBegun(request.header('contribution-id')))
      return { status: 482, why: 'an invitation of this IWF comes back to it' };
    if (this.full) return { status: 503, why: 'too many sessions, or stopping' };
    if (!this.service.ready) return { status: 503, why: 'the far side is not connected' };
    if (identitiesOf(request).length === 0) return { status: 400, why: 'nobody is named in From' };
    const address = this.#addressOf(request.uri);
    if (address === undefined) return { status: 404, why: 'the address is none of this IWF' };
    if (request.body.length > 0 && sdpOf(request.header('content-type'), request.body) === undefined)
      return { status: 415, why: 'no session description in the body' };
    const offer = sdpOf(request.header('content-type'), request.body);
    if (offer === undefined) return { status: 488, why: 'an offer is needed' };
    if (!offeredStreams(offer).some(this.#takes))
      return { status: this.service.noStream ?? 488, why: 'no stream for this IWF' };
    return { address, offer };
  }

  #sessionOf(leg: LegId, request: SipRequest, address: string): Session {
    const identities = identitiesOf(request);
    const contact: Contact = {
      user: identities[0] as string,
      peer: request.uri,
      conversationId: request.header('conversation-id') ?? request.callId,
    };
    const contributionId = request.header('contribution-id') ?? request.callId;
    return new Session(this, { leg, contact, contributionId, identities, address, invite: request });
  }

  /** Our description for an offer, and each stream that is taken on its way to the peer. */
  #answer(session: Session, offer: string): void {
    session.described = answerTo(offer, this.own(session), (index) => session.streams.get(index)?.uri);
    for (const [index, stream] of session.streams) {
      const line = msrpLines(offer)[index];
      if (line !== undefined) stream.join(line, connectsToOfferer(offer, index));
    }
  }

  // --- inside a session -----------------------------------------------------------------------------------------

  #onRequest(session: Session, exchange: string, request: SipRequest): void {
    const { leg } = session;
    const respond = (status: number, body?: string): void => {
      const headers = body === undefined ? [ALLOW] : answerHeaders(this.stack.contact);
      const payload = body === undefined ? { headers } : { headers, body: bytesOfWire(body) };
      this.stack.execute({ type: 'respond', leg, exchange, status, ...payload });
    };
    const offer = sdpOf(request.header('content-type'), request.body);
    if (request.method === 'OPTIONS' || request.method === 'INFO') return respond(200);
    if (request.method !== 'INVITE' && request.method !== 'UPDATE') return respond(405);
    if (offer === undefined) return respond(200, request.method === 'INVITE' ? session.described : undefined);
    if (!this.#reoffer(session, offer)) return respond(488);
    respond(200, session.described);
    if (session.streams.size === 0) this.end(session, 'streamsGone');
  }

  /** RFC 3264 8: streams may go; none may come, since another one belongs to another session with the ISF. */
  #reoffer(session: Session, offer: string): boolean {
    if (scannedFewer(offer, session.described)) return false;
    const offered = new Set(offeredStreams(offer).map(({ index }) => index));
    for (const index of [...session.streams.keys()]) if (!offered.has(index)) session.drop(index);
    const before = session.described;
    this.#answer(session, offer);
    if (session.described === before) return true;
    session.version++;
    this.#answer(session, offer);
    return true;
  }

  /** Ends a session with a BYE, or an invitation of ours that has no answer with a CANCEL. */
  end(session: Session, why: Ending): void {
    if (session.over) return;
    const { leg } = session;
    if (this.invitations.isOpen(leg)) this.stack.execute({ type: 'cancel', leg, headers: [] });
    else this.stack.execute({ type: 'request', leg, exchange: 'bye', method: 'BYE', headers: [] });
    this.over(session, why);
  }

  /** The dialog has ended, or there never was one. */
  over(session: Session, why: Ending): void {
    if (session.over) return;
    session.close();
    this.#sessions.delete(session.leg);
    this.invitations.over(session);
    this.stack.execute({ type: 'release', leg: session.leg });
    const seconds = Math.round((this.clock.now() - session.startedAt) / 1000);
    this.tally.add(`${this.service.name}.ended.${why}`);
    this.log.info({ iwf: this.service.name, session: session.leg, reason: why, seconds }, 'session ended');
  }

  /** Takes no more sessions and ends those that are. */
  stop(): void {
    this.#refusing = true;
    for (const session of [...this.#sessions.values()]) this.end(session, 'shutdown');
  }
}

function scannedFewer(offer: string, described: string): boolean {
  const count = (sdp: string): number => (sdp.match(/^m=/gm) ?? []).length;
  return count(offer) < count(described);
}
