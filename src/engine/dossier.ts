/**
 * A session's papers: the messages and descriptions its effects are made from. The statechart decides by facts; what
 * goes on the wire is composed from here. All of it is JSON or becomes JSON when the session is stored.
 */
import type { LegName, Relay } from '../../machines/session/context.ts';
import type { EffectOf } from '../../machines/session/effects.ts';
import type { SentDescription } from '../sdp/mediate.ts';
import { bytesOfWire, wireOfBytes } from '../sip/message/bytes.ts';
import { detached } from '../sip/message/header.ts';
import type { AnyMessage, SipRequest, SipResponse } from '../sip/message/message.ts';
import { parseMessage } from '../sip/message/parse.ts';
import { wireOfMessage } from '../sip/message/serialize.ts';
import { type Conference, conferenceAfter } from './conference.ts';
import { unlessEmpty } from './packed.ts';

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
  /** Instance of the served client, once it is known which one has the session. */
  instance: string | null;
  /** The invitation; kept until its answer is acknowledged, since it may go out again, and the answer by its Via. */
  invite: SipRequest | null;
  /** Invitations sent, by leg, so that a restart can take them up; kept until one of them is the session. */
  invites: Record<LegName, EffectOf<'invite'>>;
  /** What the inviter was answered, until its ACK: a restart says it again (RFC 3261 13.3.1.4). */
  answer: EffectOf<'answer'> | null;
  /** Who has spoken in a group session (From of CPIM messages), for its Group State; null while nobody has. */
  spoke: Set<string> | null;
  /** Who is in the group session, by its focus; null while that has said nothing. */
  conference: Conference | null;
  /** Reason header of the BYE or CANCEL that ended the session (RFC 3326). */
  reason: string | null;
  /** Messages whose effects have not been carried out yet, by what they are. */
  readonly messages: Map<string, AnyMessage>;
}

/** Key of a message in the dossier. */
export type MessageKey =
  | `provisional ${LegName} ${number}`
  | `provisional ${LegName} ${number} ${number}`
  | `answered ${LegName}`
  | `failed ${LegName}`
  | `ack ${LegName}`
  | `request ${LegName} ${string}`
  | `response ${LegName} ${string}`;

// Most sessions have one far leg, `b`, without forks: their keys are texts of the program, which need not be put together
// and hashed at each message.
// Of those without a number the last one counts; each one that has one is passed on (RFC 3262 3).
export const provisionalKey = (leg: LegName, fork: number, rseq?: number): MessageKey => {
  if (rseq !== undefined) return `provisional ${leg} ${fork} ${rseq}`;
  return leg === 'b' && fork === 0 ? 'provisional b 0' : `provisional ${leg} ${fork}`;
};
export const answeredKey = (leg: LegName): MessageKey => (leg === 'b' ? 'answered b' : `answered ${leg}`);
export const failedKey = (leg: LegName): MessageKey => `failed ${leg}`;
export const ackKey = (leg: LegName): MessageKey => (leg === 'a' ? 'ack a' : `ack ${leg}`);
export const requestKey = (leg: LegName, exchange: string): MessageKey => `request ${leg} ${exchange}`;
export const responseKey = (leg: LegName, exchange: string): MessageKey =>
  leg === 'b' && exchange === 'bye' ? 'response b bye' : `response ${leg} ${exchange}`;

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

/** An answer that was said will not be said again: what it was made of goes, and the invitation with the way back. */
export function settleAnswer(dossier: Dossier): void {
  const { answer, messages } = dossier;
  if (answer === null) return;
  for (const leg of answer.from) messages.delete(answeredKey(leg));
  dossier.answer = null;
  dossier.invite = null;
}

/** What was passed from one side to the other, and back, is done with. */
export function dropRelayed({ messages }: Dossier, relay: Pick<Relay, 'from' | 'exchange' | 'to' | 'as'>): void {
  messages.delete(requestKey(relay.from, relay.exchange));
  messages.delete(responseKey(relay.to, relay.as));
}

// --- storing -----------------------------------------------------------------------------------------------

/** What the invitation said. The invitation itself is the one text beside it. */
export interface DossierOrigin {
  readonly served: string;
  readonly trusted: boolean;
  readonly destination: string;
  readonly routes: readonly string[];
  /** Its `farContact` is of that time; what counts is the state's. */
  readonly papers: SessionPapers;
}

/** What has become of it. The messages and descriptions are the texts beside it. */
export interface DossierState {
  /** False once the invitation has gone its last way. */
  readonly inviting: boolean;
  // JSON leaves out what is undefined; what is not there is empty, or null.
  readonly books?: Readonly<Record<LegName, StoredBook>> | undefined;
  readonly farContact?: string | null | undefined;
  readonly invites?: Record<LegName, EffectOf<'invite'>> | undefined;
  readonly reason?: string | null | undefined;
  readonly instance?: string | null | undefined;
  /** Undefined where nobody has spoken. */
  readonly spoke?: readonly string[] | undefined;
  /** Undefined where the focus has said nothing. */
  readonly conference?: Conference | undefined;
  /** Keys of the messages, in the order of the first texts. */
  readonly messages?: readonly string[] | undefined;
}

interface StoredBook {
  /** The description is a text: which one. */
  readonly sent: (Omit<SentDescription, 'text'> & { readonly text: number }) | null;
  readonly received: StoredText | null;
  readonly contact: string | null;
}

/** A text: the one with this number, or the end of it, for a description that is the body of a message. */
type StoredText = number | { readonly endOf: number | 'invite'; readonly length: number };

export interface StoredPart<T> {
  readonly value: T;
  readonly texts: readonly string[];
}

export function dossierOrigin(dossier: Dossier): StoredPart<DossierOrigin> {
  const { served, trusted, destination, routes, papers } = dossier;
  return {
    value: { served, trusted, destination, routes, papers },
    texts: [dossier.invite === null ? '' : wireOfMessage(dossier.invite)],
  };
}

/** `agreed`: with what the legs have said and been told of their media. */
export function dossierState(dossier: Dossier, agreed: boolean): StoredPart<DossierState> {
  const { papers, invite, invites, reason, instance } = dossier;
  const messages: string[] = [];
  const texts: string[] = [];
  for (const [key, message] of dossier.messages) {
    messages.push(key);
    texts.push(wireOfMessage(message));
  }
  const books: Record<LegName, StoredBook> | undefined = agreed ? {} : undefined;
  if (books !== undefined) {
    for (const leg in dossier.books) books[leg] = storedBook(dossier.books[leg] as LegBook, dossier, texts);
  }
  const value = {
    inviting: invite !== null,
    books,
    farContact: papers.farContact ?? undefined,
    invites: isEmpty(invites) ? undefined : invites,
    reason: reason ?? undefined,
    instance: instance ?? undefined,
    spoke: dossier.spoke === null ? undefined : [...dossier.spoke],
    conference: dossier.conference ?? undefined,
    messages: unlessEmpty(messages),
  };
  return { value, texts };
}

function isEmpty(record: object): boolean {
  for (const _ in record) return false;
  return true;
}

function storedBook({ sent, received, contact }: LegBook, dossier: Dossier, texts: string[]): StoredBook {
  return {
    sent: sent === null ? null : { ...sent, text: texts.push(sent.text) - 1 },
    received: received === null ? null : storedText(received, dossier, texts),
    contact,
  };
}

/** What stands in a message that is stored anyway is not stored a second time. */
function storedText(text: string, dossier: Dossier, texts: string[]): StoredText {
  if (dossier.invite !== null && isBodyOf(dossier.invite, text)) return { endOf: 'invite', length: text.length };
  const within = texts.findIndex((other) => other.endsWith(text));
  return within < 0 ? texts.push(text) - 1 : { endOf: within, length: text.length };
}

function isBodyOf(message: AnyMessage, text: string): boolean {
  return message.body.length === text.length && wireOfBytes(message.body) === text;
}

export function restoredDossier(origin: StoredPart<DossierOrigin>, state: StoredPart<DossierState>): Dossier {
  const { texts } = state;
  const messages = new Map<string, AnyMessage>();
  (state.value.messages ?? []).forEach((key, at) => {
    const { message } = parseMessage(bytesOfWire(texts[at] ?? ''));
    if (message !== undefined) messages.set(key, message);
  });
  const inviteText = origin.texts[0] ?? '';
  const invite = state.value.inviting ? parseMessage(bytesOfWire(inviteText)).message : undefined;
  const read = (stored: StoredText): string => {
    if (typeof stored === 'number') return texts[stored] ?? '';
    return (stored.endOf === 'invite' ? inviteText : (texts[stored.endOf] ?? '')).slice(-stored.length);
  };
  const books: Record<LegName, LegBook> = {};
  for (const [leg, { sent, received, contact }] of Object.entries(state.value.books ?? {})) {
    books[leg] = {
      sent: sent === null ? null : { ...sent, text: read(sent.text) },
      received: received === null ? null : read(received),
      contact,
    };
  }
  const { served, trusted, destination, routes, papers } = origin.value;
  const { farContact, invites, reason, instance, spoke, conference } = state.value;
  return {
    served,
    trusted,
    destination,
    routes,
    books,
    papers: { ...papers, farContact: farContact ?? null },
    invite: invite?.kind === 'request' ? invite : null,
    invites: invites ?? {},
    answer: null,
    reason: reason ?? null,
    instance: instance ?? null,
    spoke: spoke === undefined ? null : new Set(spoke),
    conference: conference ?? null,
    messages,
  };
}

/** Participants of a group session that are kept; a focus allows fewer. */
const MOST_PARTICIPANTS = 1000;

/** Notes who has spoken in a group session. False where nothing new was learnt. */
export function noteParticipant(dossier: Dossier, from: string | null): boolean {
  if (!dossier.papers.group || from === null) return false;
  dossier.spoke ??= new Set();
  if (dossier.spoke.has(from) || dossier.spoke.size >= MOST_PARTICIPANTS) return false;
  dossier.spoke.add(from);
  return true;
}

/** Notes what the focus of a group session says of who is there. False where nothing new was learnt; throws for nonsense. */
export function noteConference(dossier: Dossier, body: Uint8Array): boolean {
  if (!dossier.papers.group) return false;
  const before = dossier.conference;
  dossier.conference = conferenceAfter(before, body);
  return dossier.conference !== before;
}

/** A header value for keeping: free of the datagram it was cut from. */
export function kept(value: string | undefined): string | null {
  return value === undefined ? null : detached(value);
}
