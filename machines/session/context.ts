/** A session's data: JSON, and nothing beside it. */
import type { Effect } from './effects.ts';
import type { Mode, Policy, Profile, Role } from './policy.ts';

/** Short name of a leg within its session: `a` is whoever invited, `b`, `b2` … whom we invited. */
export type LegName = string;

/** Who is at the end of a leg. */
export type Peer = 'client' | 'entity' | 'iwf';

export type LegPhase =
  /** INVITE sent or received, no final answer. */
  | 'inviting'
  /** 2xx sent or received, ACK outstanding. */
  | 'answered'
  | 'confirmed'
  /** CANCEL sent, the INVITE's end outstanding. */
  | 'cancelling'
  /** BYE due, but not before the ACK or its time limit (RFC 3261 15). */
  | 'byeDue'
  /** BYE sent, its answer outstanding. */
  | 'ending'
  | 'closed';

export interface LegRecord {
  readonly peer: Peer;
  readonly phase: LegPhase;
  /** m-lines of the offer this leg was given; null means all. */
  readonly streams: readonly number[] | null;
  /** RFC 4028, once negotiated. */
  readonly timer: LegTimer | null;
  /** The peer's Allow lists UPDATE, so a refresh needs no offer. */
  readonly allowsUpdate: boolean;
}

export interface LegTimer {
  /** Seconds. */
  readonly se: number;
  readonly refresher: 'us' | 'peer';
  /** Largest Min-SE that a 422 of the peer has named, seconds. */
  readonly minSE?: number;
}

/** What was read from the INVITE; see `src/engine/facts.ts`. */
export interface InviteFacts {
  readonly service: string;
  readonly group: boolean;
  /** Authenticated originator addresses; empty where there is none. */
  readonly originators: readonly string[];
  /** CPM release of the User-Agent, such as `2.0`; null where there is none. */
  readonly release: string | null;
  readonly anonymityRequested: boolean;
  readonly anonymousFrom: boolean;
  /** Scheme of the destination. */
  readonly scheme: string;
  /** Offered m-lines; null where the INVITE has no offer. */
  readonly streams: readonly OfferedStream[] | null;
  readonly sessionReplaces: string | null;
  /** Option tags of Require, and of Proxy-Require, that nobody here understands. */
  readonly unsupported: { readonly require: readonly string[]; readonly proxyRequire: readonly string[] };
  readonly timer: TimerFacts;
  readonly allowsUpdate: boolean;
}

export interface OfferedStream {
  readonly media: string;
  /** Port 0: offered as already rejected. */
  readonly disabled: boolean;
}

/** Session timer headers of a request or response (RFC 4028). */
export interface TimerFacts {
  readonly supported: boolean;
  /** Session-Expires, seconds; null where absent. */
  readonly se: number | null;
  readonly minSE: number | null;
  readonly refresher: 'uac' | 'uas' | null;
}

/** A request inside a dialog on its way to the other side. */
export interface Relay {
  readonly from: LegName;
  readonly exchange: string;
  readonly to: LegName;
  /** Name of the exchange on the other side. */
  readonly as: string;
  readonly method: string;
  /** The 2xx to a re-INVITE has been passed on; its ACK is awaited. */
  readonly answered: boolean;
}

/** A BYE that has not had its 200 yet. */
export interface OpenBye {
  readonly leg: LegName;
  readonly exchange: string;
}

export type EndReason =
  | 'refused'
  // The three 480s of the terminating side.
  | 'dnd'
  | 'noClient'
  | 'noSuitableClient'
  | 'failed'
  | 'cancelled'
  | 'ringingTimeout'
  | 'byeFromClient'
  | 'byeFromEntity'
  | 'byeFromIwf'
  | 'sessionTimer'
  | 'noAck'
  | 'dialogGone'
  | 'mediaFailure'
  | 'operator'
  | 'shutdown';

export interface Ending {
  readonly reason: EndReason;
  /** Leg whose message ended the session; null for timers, operators and the like. */
  readonly by: LegName | null;
  /** Legs whose end the BYE's sender waits for. */
  readonly awaited: readonly LegName[];
  /** True once the join limit is over. */
  readonly joinOver: boolean;
}

/** What is known of the session's history objects. */
export interface HistoryFacts {
  /** Set when the session is to be recorded (O-200B-7). */
  readonly wanted: boolean;
  /** UID of the Session Info Object; null until known. */
  readonly sessionInfoUid: number | null;
  readonly groupStateUid: number | null;
  /** The Group State Object is stored, if there is to be one. */
  readonly sealed: boolean;
  /** Sealing is done, or signalling no longer waits for it. */
  readonly settled: boolean;
  /** Store failures so far. */
  readonly failures: number;
}

export interface SessionContext {
  readonly id: string;
  readonly role: Role;
  readonly mode: Mode | null;
  readonly policy: Policy;
  readonly profile: Profile | null;
  /** What was known of the user before, while the profile is still awaited. */
  readonly lastKnown: Profile | null;
  readonly invite: InviteFacts;
  readonly legs: Readonly<Record<LegName, LegRecord>>;
  /** The far leg whose final answer decides what comes next. */
  readonly current: LegName | null;
  /** Leg that carries each m-line; null for a rejected one. */
  readonly carriers: readonly (LegName | null)[];
  /** Invitations sent so far, redirections followed, and whether the ISF has had its one chance. */
  readonly attempts: {
    readonly invites: number;
    readonly redirects: number;
    /** Targets of the last redirection that were not tried yet. */
    readonly targets: readonly string[];
    readonly isf: boolean;
    readonly intervals: number;
  };
  readonly relays: readonly Relay[];
  readonly byes: readonly OpenBye[];
  /** Legs whose streams are still to be taken out of the offer. */
  readonly drops: readonly number[];
  readonly history: HistoryFacts;
  /** Absolute times, ms since the epoch, by name of the event they raise, `sessionExpired:a`. */
  readonly deadlines: Readonly<Record<string, number>>;
  readonly ending: Ending | null;
  /** Counts the points at which the session must be stored before its effects leave. */
  readonly checkpoint: number;
  /** Number of the event that caused `effects`. */
  readonly step: number;
  readonly effects: readonly Effect[];
}

export interface SessionInput {
  readonly id: string;
  readonly role: Role;
  readonly policy: Policy;
  /** Null where it still has to be fetched. */
  readonly profile: Profile | null;
  /** Used instead where it does not come in time. */
  readonly lastKnown?: Profile | null;
  readonly invite: InviteFacts;
  /** ms since the epoch. */
  readonly at: number;
}

export const NO_ATTEMPTS: SessionContext['attempts'] = {
  invites: 0,
  redirects: 0,
  targets: [],
  isf: false,
  intervals: 0,
};

export const NO_HISTORY: HistoryFacts = {
  wanted: false,
  sessionInfoUid: null,
  groupStateUid: null,
  sealed: false,
  settled: false,
  failures: 0,
};

export function initialContext(input: SessionInput): SessionContext {
  return {
    id: input.id,
    role: input.role,
    mode: null,
    policy: input.policy,
    profile: input.profile,
    lastKnown: input.profile === null ? (input.lastKnown ?? null) : null,
    invite: input.invite,
    legs: {
      a: {
        peer: input.role === 'orig' ? 'client' : 'entity',
        phase: 'inviting',
        streams: null,
        timer: null,
        allowsUpdate: input.invite.allowsUpdate,
      },
    },
    current: null,
    carriers: [],
    attempts: NO_ATTEMPTS,
    relays: [],
    byes: [],
    drops: [],
    history: NO_HISTORY,
    deadlines: {},
    ending: null,
    checkpoint: 0,
    step: 0,
    effects: [],
  };
}

/** Field by field, always in the same order: the runtime then knows every context by one shape. */
export function copyOf(context: SessionContext): SessionContext {
  return {
    id: context.id,
    role: context.role,
    mode: context.mode,
    policy: context.policy,
    profile: context.profile,
    lastKnown: context.lastKnown,
    invite: context.invite,
    legs: context.legs,
    current: context.current,
    carriers: context.carriers,
    attempts: context.attempts,
    relays: context.relays,
    byes: context.byes,
    drops: context.drops,
    history: context.history,
    deadlines: context.deadlines,
    ending: context.ending,
    checkpoint: context.checkpoint,
    step: context.step,
    effects: context.effects,
  };
}
