/**
 * A session's papers: the messages and descriptions its effects are made from. The statechart decides by facts; what
 * goes on the wire is composed from here. All of it is JSON or becomes JSON when the session is stored.
 */
import type { LegName } from '../../machines/session/context.ts';
import type { EffectOf } from '../../machines/session/effects.ts';
import type { SentDescription } from '../sdp/mediate.ts';
import { bytesOfWire, wireOfBytes } from '../sip/message/bytes.ts';
import { detached } from '../sip/message/header.ts';
import type { AnyMessage, SipRequest, SipResponse } from '../sip/message/message.ts';
import { parseMessage } from '../sip/message/parse.ts';
import { serialize } from '../sip/message/serialize.ts';

/** What was agreed on one leg. */
export interface LegBook {
  /** Description last sent to this leg, under our origin. */
  sent: SentDescription | null;
  /** Description last received from this leg. */
  received: string | null;
  /** Our Contact toward this leg, with the feature parameters of the other side. */
  contact: string | null;
}

/** What the history objects say about the session (digest 3.3). */
export interface SessionPapers {
  readonly conversationId: string;
  readonly contributionId: string;
  readonly inReplyToContributionId: string | null;
  readonly service: string;
  readonly group: boolean;
  readonly from: string;
  readonly to: string;
  readonly subject: string | null;
  readonly referredBy: string | null;
  /** Call-ID of the invitation, for a folder name where nothing better is there. */
  readonly callId: string;
  readonly sessionId: string | null;
  readonly date: number;
  readonly invited: readonly string[];
  /** URI of the focus, or of the far side's Contact. */
  farContact: string | null;
}

export interface Dossier {
  /** Served user, as it stands in the request. */
  readonly served: string;
  readonly trusted: boolean;
  /** Request-URI of the invitation, our own contact tokens resolved. */
  readonly destination: string;
  /** Route headers the invitation goes on with: what it came with, ours removed. */
  readonly routes: readonly string[];
  readonly books: Record<LegName, LegBook>;
  readonly papers: SessionPapers;
  /** The invitation; kept until the session is established, since it may go out again. */
  invite: SipRequest | null;
  /** Invitations sent, by leg, so that a restart can take them up. Kept as long as `invite`. */
  invites: Record<LegName, EffectOf<'invite'>>;
  /** Reason header of the BYE or CANCEL that ended the session (RFC 3326). */
  reason: string | null;
  /** Messages whose effects have not been carried out yet, by what they are. */
  readonly messages: Map<string, AnyMessage>;
}

/** Key of a message in the dossier. */
export type MessageKey =
  | `provisional ${LegName} ${number}`
  | `answered ${LegName}`
  | `failed ${LegName}`
  | `ack ${LegName}`
  | `request ${LegName} ${string}`
  | `response ${LegName} ${string}`;

export function bookOf(dossier: Dossier, leg: LegName): LegBook {
  let book = dossier.books[leg];
  if (book === undefined) {
    book = { sent: null, received: null, contact: null };
    dossier.books[leg] = book;
  }
  return book;
}

export function requestOf(dossier: Dossier, key: MessageKey): SipRequest | undefined {
  const message = dossier.messages.get(key);
  return message?.kind === 'request' ? message : undefined;
}

export function responseOf(dossier: Dossier, key: MessageKey): SipResponse | undefined {
  const message = dossier.messages.get(key);
  return message?.kind === 'response' ? message : undefined;
}

// --- storing -----------------------------------------------------------------------------------------------

/** What the invitation said. */
export interface DossierOrigin {
  readonly served: string;
  readonly trusted: boolean;
  readonly destination: string;
  readonly routes: readonly string[];
  readonly papers: Omit<SessionPapers, 'farContact'>;
  /** The invitation as a wire string. */
  readonly invite: string;
}

/** What has become of it. */
export interface DossierState {
  readonly books: Record<LegName, LegBook>;
  readonly farContact: string | null;
  /** False once the invitation has gone its last way. */
  readonly inviting: boolean;
  readonly invites: Record<LegName, EffectOf<'invite'>>;
  readonly reason: string | null;
  /** Messages as wire strings, by their keys. */
  readonly messages: readonly (readonly [string, string])[];
}

export function dossierOrigin(dossier: Dossier): DossierOrigin {
  const { served, trusted, destination, routes } = dossier;
  const { farContact: _farContact, ...papers } = dossier.papers;
  const invite = dossier.invite === null ? '' : wireOfBytes(serialize(dossier.invite));
  return { served, trusted, destination, routes, papers, invite };
}

/** `ending`: nothing is offered or answered any more, so what was agreed need not be kept. */
export function dossierState(dossier: Dossier, ending: boolean): DossierState {
  const { books, papers, invite, invites, reason } = dossier;
  return {
    books: ending ? {} : books,
    farContact: papers.farContact,
    inviting: invite !== null,
    invites,
    reason,
    messages: [...dossier.messages].map(([key, message]) => [key, wireOfBytes(serialize(message))]),
  };
}

export function restoredDossier(origin: DossierOrigin, state: DossierState): Dossier {
  const messages = new Map<string, AnyMessage>();
  for (const [key, wire] of state.messages) {
    const { message } = parseMessage(bytesOfWire(wire));
    if (message !== undefined) messages.set(key, message);
  }
  const invite = state.inviting ? parseMessage(bytesOfWire(origin.invite)).message : undefined;
  const { served, trusted, destination, routes } = origin;
  return {
    served,
    trusted,
    destination,
    routes,
    books: state.books,
    papers: { ...origin.papers, farContact: state.farContact },
    invite: invite?.kind === 'request' ? invite : null,
    invites: state.invites,
    reason: state.reason,
    messages,
  };
}

/** A header value for keeping: free of the datagram it was cut from. */
export function kept(value: string | undefined): string | null {
  return value === undefined ? null : detached(value);
}
