/**
 * What guards ask: the service provider's policy, and what is known of the served user. Plain data; the clauses
 * and ambiguity ids name where each value decides something.
 */
export type Role = 'orig' | 'term';
export type Mode = 'b2bua' | 'proxy';

/** Refusals that are never interworked, whatever policy says: the user's own, and those about the asker. */
export const NEVER_INTERWORKED: Readonly<Record<Role, readonly number[]>> = {
  orig: [401, 403, 407, 486, 487, 600, 603],
  term: [403, 486, 487, 600, 603],
};

export interface VersionRange {
  /** Lowest and highest CPM release supported, such as `1.0`. */
  readonly min: string;
  readonly max: string;
  /** What a User-Agent without a CPM release means. */
  readonly onMissing: 'allow' | 'refuse';
}

export interface Policy {
  /** B2BUA always or never, or as the session needs it. */
  readonly mediaPath: 'always' | 'auto' | 'never';
  readonly allowAnonymity: boolean;
  /** An anonymous From counts as a request for anonymity. */
  readonly anonymityFromHeader: boolean;
  /** Null: no version is required. */
  readonly requiredUserAgent: VersionRange | null;
  /** Statuses after which the invitation goes to the ISF, by role. */
  readonly interworkOn: Readonly<Record<Role, readonly number[]>>;
  /** Whether a proxy may try the ISF after a 6xx, against RFC 3261 16.7. */
  readonly proxyInterworkOn6xx: boolean;
  /** Schemes that go to the ISF instead of the SIP/IP core; `others` means all but sip, sips and tel. */
  readonly isfSchemes: 'others' | readonly string[];
  /**
   * What is for a user without a registered client (8.3.2.1 step 6). `defer` keeps pager-mode messages until one
   * registers, and those of a session where `keepsSessions` allows it; any other session is refused.
   */
  readonly noClient: 'interwork' | 'reject' | 'defer';
  /** True where the function can take part in a session in the place of a user who is away; absent: it can't. */
  readonly keepsSessions?: boolean;
  /** Media types a terminating session may offer; one bad line is enough to refuse, or bad ones are taken out. */
  readonly allowedMedia: readonly string[];
  readonly sdpCheck: 'any' | 'all';
  readonly maxRedirects: number;
  /** BYE from one of several IWFs ends its streams, or the session. */
  readonly partialClose: 'streams' | 'session';
  /** Streams an IWF rejected: try another session for them, or accept it so. */
  readonly rejectedStreams: 'interwork' | 'accept';
  /** True where an ISF is configured. */
  readonly isfAvailable: boolean;
  readonly secondaryTimeoutMs: number;
  /** Used where preferences can't be had. */
  readonly defaultAllowOfflineStorage: boolean;
  readonly preferencesTimeoutMs: number;
  /** What becomes of a session whose media connection is lost and does not come back; absent: it ends. */
  readonly mediaFailure?: 'end' | 'keep';
  /** A Reason header tells why a 480 of ours was given. */
  readonly reasonText: boolean;
  /** False where nothing is recorded at all. */
  readonly recording: boolean;
  readonly messages: MessagePolicy;
  readonly timers: SessionTimers;
  readonly compat: Compat;
}

/** What is asked about pager-mode messages alone. */
export interface MessagePolicy {
  /** Largest body, bytes (RFC 3428 8). */
  readonly maxBytes: number;
  /** Delivery and display notifications go into the history too (RFC 5438). */
  readonly recordNotifications: boolean;
  readonly deferred: DeferredPolicy;
}

/** Messages that are kept for a user who can't be reached, where `noClient` is `defer`. */
export interface DeferredPolicy {
  /** Statuses of the user's clients after which a message is kept. */
  readonly on: readonly number[];
  /** How long the clients have to answer before the message is kept, ms: its sender does not wait for ever. */
  readonly answerMs: number;
  /** Longest time a message is kept, ms. */
  readonly lifetimeMs: number;
  /** Before it is tried again with a client that is registered but did not take it, first and at the most, ms. */
  readonly retryMs: number;
  readonly longestRetryMs: number;
  /** Messages kept at the most, for one user and over all. */
  readonly perUser: number;
  readonly total: number;
  /** Messages delivered at a time. */
  readonly atOnce: number;
  /** Tells a sender who has asked for it that a message was given up (RFC 5438). */
  readonly notify: boolean;
}

export interface SessionTimers {
  /** RFC 4028, seconds. */
  readonly se: number;
  readonly minSE: number;
  /** Who refreshes where the peer leaves it to us. */
  readonly refresher: 'peer' | 'us';
  /** How long the BYE's sender waits for the far ends, ms. */
  readonly byeJoinMs: number;
  /** How long signalling waits for the store, ms. */
  readonly storeBudgetMs: number;
  /** 64*T1, ms. */
  readonly transactionMs: number;
  /** Longest ringing, ms (RFC 3261 16.6 timer C). */
  readonly ringingMs: number;
}

/** Switches to the letter of the text where the resolution differs. */
export interface Compat {
  /** which pointers a terminating timer expiry writes. */
  readonly termTimerMetadata: 'both' | 'literal' | 'symmetric';
  /** the terminating folder is made whatever the preference says. */
  readonly termFolderIgnoresPreference: boolean;
  /** the UID that Message-UID carries. */
  readonly messageUid: 'sessionInfo' | 'literal';
}

/** What is known of the served user, for this invitation. */
export interface Profile {
  /** False: no such user here. */
  readonly known: boolean;
  /** The user's own address, whichever alias was used; null where only the request's is known. Names the mailbox. */
  readonly user: string | null;
  /** Services the user may use; null means all. */
  readonly services: readonly string[] | null;
  readonly allowOfflineStorage: boolean;
  /** A do-not-disturb rule matches this originator now. */
  readonly doNotDisturb: boolean;
  /** The originator is in the user's blacklist. */
  readonly blacklisted: boolean;
  /** The user's own wish; null leaves it to the provider. */
  readonly interworking: boolean | null;
  /** Null where registrations are not known: then the core, which knows them, is left to find the user. */
  readonly clients: readonly RegisteredClient[] | null;
  /** Instance on which the session of Session-Replaces lives; null where unknown. */
  readonly replacedInstance: string | null;
}

export interface RegisteredClient {
  /** `+sip.instance` value, `<urn:uuid:…>`; empty where the client gave none. */
  readonly instance: string;
  readonly services: readonly string[];
  readonly media: readonly string[];
}
