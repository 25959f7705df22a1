/** What the engine asks of the world beside SIP. Answers may come at once or later, through `done`. */
import type { LegName } from '../../machines/session/context.ts';
import type { Profile, Role } from '../../machines/session/policy.ts';
import type { CpimHead } from '../cpim/cpim.ts';
import type { HistoryIntent } from '../history/intent.ts';
import type { SipRequest } from '../sip/message/message.ts';
import type { ExchangeId, LegId, WhenStored } from '../sip/port.ts';
import type { ProxiedState } from '../sip/proxy/proxied-session.ts';
import type { LegState } from '../sip/user-agent/leg.ts';

export interface ProfileQuery {
  readonly user: string;
  readonly role: Role;
  readonly service: string;
  /** Identity keys of the originator, and of who referred it, for lists and rules. */
  readonly originators: readonly string[];
  readonly referredBy: string | null;
  /** Contribution-ID in Session-Replaces. */
  readonly sessionReplaces: string | null;
  /** ms since the epoch. */
  readonly at: number;
  /** What the session's policy says where preferences are not to be had; absent: what was configured. */
  readonly allowOfflineStorage?: boolean;
}

/** Preferences, lists and registrations of the served user. */
export interface ProfilePort {
  lookUp(query: ProfileQuery, done: (profile: Profile) => void): void;
}

/** What the media plane has to know of a leg when it writes a description. */
export interface MediaLeg {
  /** Description last received from the leg; null where none has come. */
  readonly received: string | null;
  /** Places of its m-lines in the inviter's offer; null where they are the same. */
  readonly streams: readonly number[] | null;
}

/** The same for a session that is taken up after a restart. */
export interface StoredMediaLeg extends MediaLeg {
  /** Description last sent to the leg, as `adapt` made it. */
  readonly sent: string | null;
}

export type MediaLegs = Readonly<Record<LegName, MediaLeg>>;

/** The media plane. Where no relay stands behind it, descriptions pass through. */
export interface MediaPort {
  /**
   * The description as a leg gets it: own addresses where media is relayed. Doing it again for the same description
   * gives the same, also in another process.
   */
  adapt(session: string, leg: LegName, sdp: string, legs: MediaLegs): string;
  /** Frees what was allocated for these legs. Freeing again does nothing. */
  release(session: string, legs: readonly LegName[]): void;
  /** The session is over: frees what is left of it. */
  end?(session: string): void;
  /** Takes up a session's media as its stored descriptions say it was. */
  restore?(session: string, legs: Readonly<Record<LegName, StoredMediaLeg>>): void;
}

/** What a SIP port that survives restarts can do beside commands and events: legs as JSON, and back. */
export interface Dialogs {
  exportLeg(leg: LegId): LegState | undefined;
  restoreLeg(state: LegState): void;
  /**
   * What an INVITE that is said again, or answered again, had come to: the numbers of its dialogs go on. It may have rung
   * since, so this is known of each such leg, dialogs or not, and before its INVITE.
   */
  restoreEarly(state: LegState): void;
  /** The INVITE of a leg that has no final answer yet: it can be answered again. */
  restoreInvite(leg: LegId, request: SipRequest): void;
  /** A re-INVITE that has no final answer yet, or no ACK: it can be answered again. */
  restoreOffer(leg: LegId, exchange: ExchangeId, request: SipRequest): void;
  /** A request outside any dialog that has no answer yet: it can be answered again. */
  restoreOutside(exchange: ExchangeId, request: SipRequest): void;
  exportProxied(session: string): ProxiedState | undefined;
  restoreProxied(state: ProxiedState): void;
  /** What it ends by itself waits for this: after a restart the session could be taken to be what was ended. */
  storedBy(whenStored: WhenStored): void;
}

/**
 * A session to store, as JSON: its origin the first time, its state each time. A state whose origin is not there (its
 * write came to nothing) is left out; the session brings both the next time.
 */
export interface SessionRecord {
  readonly id: string;
  readonly origin?: string;
  readonly state: string;
}

/** One change of durable state: all of it or nothing. */
export interface Batch {
  readonly puts: readonly SessionRecord[];
  readonly deletes: readonly string[];
  /** Policies that stored sessions name by key; storing one again changes nothing. */
  readonly policies: readonly { readonly key: string; readonly body: string }[];
  /** History work that must not be lost. */
  readonly intents: readonly HistoryIntent[];
}

export interface SessionStore {
  /** False where nothing outlives the process: effects need not wait, sessions need not be written down. */
  readonly durable: boolean;
  /** Stores a batch; effects leave when `done` is called. An error means that nothing of it is stored. */
  commit(batch: Batch, done: (error?: Error) => void): void;
  /** Every stored session, in no order. */
  load(each: (id: string, origin: string, state: string) => void): void;
  /** A stored policy; undefined where the key is not known. */
  policy(key: string): string | undefined;
  /** No stored session names another policy than these: the others may go. */
  keepPolicies?(keys: ReadonlySet<string>): void;
}

/** History work: kept durably by the session store, done by the outbox, reported back by session. */
export interface HistoryPort {
  /** Intents that were just stored. Nothing is lost if this call never happens: a restart finds them. */
  submit(intents: readonly HistoryIntent[]): void;
}

/** A message of a conversation, as it goes into the history. */
export interface ChatMessage {
  /** MSRP Message-ID: with session and leg it names the message, also after a restart. */
  readonly messageId: string;
  /** Content-Type of the MSRP message, as it came. */
  readonly contentType: string;
  /** Undefined where the message is not CPIM. */
  readonly cpim: CpimHead | undefined;
  /** All of it, as wire text; empty where it is in the spool. */
  readonly content: string;
  /** Name of its spool file; null where it is not in one. */
  readonly spooled: string | null;
}

/** Where the sessions of the ISF go. */
export interface IsfPort {
  /** Route sets in the order to try them, the best first (digest 3.6). */
  routeSets(): readonly (readonly string[])[];
}

/** Who takes part in a session in the place of a user who is away, and says later what was said in it. */
export interface DeferralPort {
  /** Where invitations go whose messages it keeps. */
  readonly routeSets: readonly (readonly string[])[];
  /** True for an INVITE of its own, toward a user for whom it has kept something. */
  isDelivery(request: SipRequest): boolean;
  /**
   * Says a kept message (`said`: the INVITE of its session, with the message as its body) in a session with its user;
   * the status of SIP that tells what became of it goes to `messages.said` under this id, later.
   */
  deliver(id: string, said: SipRequest): void;
}

/** Runs something at the end of the present turn of the event loop, so that what came together is stored together. */
export type Defer = (work: () => void) => void;

/** What the engine has to say; bodies and numbers are redacted by whoever writes it. */
export interface EngineLog {
  session(id: string, message: string, details?: Readonly<Record<string, unknown>>): void;
  problem(message: string, details?: Readonly<Record<string, unknown>>): void;
}
