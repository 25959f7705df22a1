/** A pager-mode message's data: JSON, and nothing beside it. */
import type { InviteFacts } from '../session/context.ts';
import type { Policy, Profile, Role } from '../session/policy.ts';
import type { Effect } from './effects.ts';

/** What a message carries: text and the like, or what became of another message, or that somebody is typing. */
export type Content = 'message' | 'notification' | 'composing';

/** What was read from the MESSAGE; see `src/engine/message/facts.ts`. */
export interface MessageFacts
  extends Pick<
    InviteFacts,
    'service' | 'originators' | 'release' | 'anonymityRequested' | 'anonymousFrom' | 'scheme' | 'unsupported'
  > {
  readonly content: Content;
  /** Size of the body, bytes. */
  readonly bytes: number;
  /** Seconds its sender gives it (RFC 3428 4, Expires); null where it does not say. */
  readonly lifetimeSeconds: number | null;
  /** Its sender wants to hear if it is given up (RFC 5438 6.2, negative-delivery). */
  readonly wantsFailure: boolean;
  /** It is a delivery of our own, on its way back through the core. */
  readonly ours: boolean;
  /** It was said in a session that the function took for a user who is away, and is delivered in one. */
  readonly inSession: boolean;
}

/** How a message ended. */
export type Outcome =
  /** By policy. */
  | 'refused'
  /** Taken by the core or a client, while its sender waited. */
  | 'passed'
  /** The same, by the ISF. */
  | 'interworked'
  /** Refused by the far side, or nobody answered. */
  | 'failed'
  /** One that is kept already, sent again. */
  | 'duplicate'
  /** Kept, and taken by a client later. */
  | 'delivered'
  /** Kept, and refused by a client later. */
  | 'rejected'
  /** Kept for as long as it may be. */
  | 'expired'
  /** Kept, and removed by an operator. */
  | 'dropped'
  /** A restart took longer than its sender waits. */
  | 'abandoned';

/** What an engine knows of those that are kept for the same user, at the time of an event. */
export interface Kept {
  /** There is room for one more. */
  readonly room: boolean;
  /** Others are kept that came before. */
  readonly ahead: boolean;
  /** This very message is kept already. */
  readonly known: boolean;
}

export interface MessageContext {
  readonly id: string;
  readonly role: Role;
  readonly policy: Policy;
  readonly profile: Profile | null;
  /** What was known of the user before, while the profile is still awaited. */
  readonly lastKnown: Profile | null;
  readonly message: MessageFacts;
  /** ms since the epoch. */
  readonly at: number;
  /** Where it was sent last. */
  readonly way: 'core' | 'isf' | null;
  /** Its sender has had a final answer. */
  readonly answered: boolean;
  /** Times its delivery was tried since it is kept. */
  readonly deliveries: number;
  readonly outcome: Outcome | null;
  /** Absolute times, ms since the epoch, by name of the event they raise. */
  readonly deadlines: Readonly<Record<string, number>>;
  /** Counts the points at which the message must be stored before its effects leave. */
  readonly checkpoint: number;
  /** Number of the event that caused `effects`. */
  readonly step: number;
  readonly effects: readonly Effect[];
}

export interface MessageInput {
  readonly id: string;
  readonly role: Role;
  readonly policy: Policy;
  /** Null where it still has to be fetched. */
  readonly profile: Profile | null;
  /** Used instead where it does not come in time. */
  readonly lastKnown: Profile | null;
  readonly message: MessageFacts;
  readonly kept: Kept;
  /** ms since the epoch. */
  readonly at: number;
}

export function initialContext(input: MessageInput): MessageContext {
  return {
    id: input.id,
    role: input.role,
    policy: input.policy,
    profile: input.profile,
    lastKnown: input.profile === null ? input.lastKnown : null,
    message: input.message,
    at: input.at,
    way: null,
    answered: false,
    deliveries: 0,
    outcome: null,
    deadlines: {},
    checkpoint: 0,
    step: 0,
    effects: [],
  };
}

/** Field by field: see the session's. */
export function copyOf(context: MessageContext): MessageContext {
  return {
    id: context.id,
    role: context.role,
    policy: context.policy,
    profile: context.profile,
    lastKnown: context.lastKnown,
    message: context.message,
    at: context.at,
    way: context.way,
    answered: context.answered,
    deliveries: context.deliveries,
    outcome: context.outcome,
    deadlines: context.deadlines,
    checkpoint: context.checkpoint,
    step: context.step,
    effects: context.effects,
  };
}
