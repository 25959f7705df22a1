/**
 * Guards of pager-mode messages. Whoever may invite may write: the questions of 8.2.2.1 and 8.3.2.1 about the one who
 * asks are those of the session, asked of a message's facts; what is of messages alone follows behind.
 */
import type { SessionContext } from '../session/context.ts';
import { type GuardName as SessionGuardName, guards as sessionGuards } from '../session/guards.ts';
import { NEVER_INTERWORKED, type Policy, type Profile, type RegisteredClient } from '../session/policy.ts';
import type { Kept, MessageContext, MessageInput } from './context.ts';
import type { EventOf, MessageEvent } from './events.ts';

type Args = { readonly context: MessageContext; readonly event: MessageEvent };
type Guard = (args: Args) => boolean;

/** As much of a session as the questions about the one who asks read. A message is forwarded as by a proxy. */
class Asking implements Pick<SessionContext, 'role' | 'policy' | 'profile' | 'mode'> {
  readonly mode = 'proxy';
  readonly #context: MessageContext;

  constructor(context: MessageContext) {
    this.#context = context;
  }

  get role(): MessageContext['role'] {
    return this.#context.role;
  }

  get policy(): Policy {
    return this.#context.policy;
  }

  get profile(): Profile | null {
    return this.#context.profile;
  }

  get invite(): MessageContext['message'] {
    return this.#context.message;
  }
}

function asForSession(name: SessionGuardName): Guard {
  return ({ context, event }) =>
    sessionGuards[name]({ context: new Asking(context) as unknown as SessionContext, event: event as never });
}

const serviceNotAuthorised = asForSession('serviceNotAuthorised');
const servedUserUnknown = asForSession('servedUserUnknown');
const versionNotSupported = asForSession('versionNotSupported');
const anonymityNotAllowed = asForSession('anonymityNotAllowed');
const originatorBlacklisted = asForSession('originatorBlacklisted');
const doNotDisturb = asForSession('doNotDisturb');
const authorised = asForSession('authorised');
const extensionsUnsupported = asForSession('extensionsUnsupported');
const destinationUnroutable = asForSession('destinationUnroutable');
const destinationOutsideSip = asForSession('destinationOutsideSip');
const noClientInterwork = asForSession('noClientInterwork');
const noClientReject = asForSession('noClientReject');

// --- what it is ----------------------------------------------------------------------------------------------

/** What we deliver may come back to us through the core: it was judged when it came first. */
const ownDelivery: Guard = ({ context }) => context.message.ours;

/** Its session was judged, there was room, and MSRP has its own bounds. */
const saidInSession: Guard = ({ context }) => context.message.inSession;

/** RFC 3428 8: what is larger belongs into a session. */
const tooLarge: Guard = ({ context }) => context.message.bytes > context.policy.messages.maxBytes;

// --- keeping it for later ------------------------------------------------------------------------------------

/** What is known of the user's other messages comes with the event; the one that starts a message is XState's own. */
function keptAt(event: MessageEvent): Kept {
  return event.kept ?? (event as unknown as { input: MessageInput }).input.kept;
}

/**
 * Policy keeps messages of this user, and this is one that is worth it: nobody wants to know who typed yesterday. What
 * nobody vouches for is not kept, since strangers could fill the room of others.
 */
export function mayBeKept({
  role,
  policy,
  profile,
  message,
}: Pick<MessageContext, 'role' | 'policy' | 'profile' | 'message'>): boolean {
  if (role !== 'term' || policy.noClient !== 'defer' || message.ours) return false;
  if (message.originators.length === 0 || message.content === 'composing' || message.lifetimeSeconds === 0)
    return false;
  return !(profile?.interworking === true && policy.isfAvailable);
}

/** It was kept before, and its sender has not heard so. */
const keptAlready: Guard = ({ event }) => keptAt(event).known;

/** In order: what came before it is still kept. */
const othersWait: Guard = ({ context, event }) => mayBeKept(context) && keptAt(event).ahead && keptAt(event).room;

const noClientDefer: Guard = (args) => noClientReject(args) && mayBeKept(args.context) && keptAt(args.event).room;

/** A client is registered, and does not answer, or says that nobody is there. */
const deferralAllowed: Guard = ({ context, event }) => {
  const { status } = event as EventOf<'failed'>;
  const { way, policy } = context;
  return way === 'core' && mayBeKept(context) && policy.messages.deferred.on.includes(status) && keptAt(event).room;
};

const roomToKeep: Guard = ({ context, event }) => mayBeKept(context) && keptAt(event).room;

// --- answers -------------------------------------------------------------------------------------------------

/** As for a session: policy decides, and the ISF has one chance. */
const interworkingAllowed: Guard = ({ context, event }) => {
  const { status, late } = event as EventOf<'failed'>;
  const { policy, profile, role, way, message } = context;
  if (way !== 'core' || late || message.ours || !policy.isfAvailable || profile?.interworking === false) return false;
  if (NEVER_INTERWORKED[role].includes(status) || (status >= 600 && !policy.proxyInterworkOn6xx)) return false;
  return policy.interworkOn[role].includes(status);
};

/** A client will not take it, now or later. */
const refusedForGood: Guard = ({ context, event }) => {
  const { status } = event as EventOf<'failed'>;
  return !context.policy.messages.deferred.on.includes(status);
};

const pastExpiry: Guard = ({ context, event }) => event.at >= (context.deadlines.expired ?? 0);

/** Its sender believes that it will arrive, and has asked to hear if not; of a notification there is none. */
const senderWantsToKnow: Guard = ({ context }) => {
  const { outcome, message, policy } = context;
  if (outcome !== 'expired' && outcome !== 'rejected' && outcome !== 'dropped') return false;
  return message.content === 'message' && message.wantsFailure && policy.messages.deferred.notify;
};

/** Clients that are there for pager-mode messages; null where nobody knows who is registered. */
export function takesMessages(clients: readonly RegisteredClient[] | null, service: string): boolean {
  return clients === null || clients.some((client) => client.services.includes(service));
}

export const guards = {
  ownDelivery,
  saidInSession,
  tooLarge,
  serviceNotAuthorised,
  servedUserUnknown,
  versionNotSupported,
  anonymityNotAllowed,
  originatorBlacklisted,
  doNotDisturb,
  authorised,
  extensionsUnsupported,
  destinationUnroutable,
  keptAlready,
  othersWait,
  noClientInterwork,
  noClientDefer,
  noClientReject,
  destinationOutsideSip,
  deferralAllowed,
  roomToKeep,
  interworkingAllowed,
  refusedForGood,
  pastExpiry,
  senderWantsToKnow,
} satisfies Record<string, Guard>;

export type GuardName = keyof typeof guards;
