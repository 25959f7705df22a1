/**
 * Guards: the questions of service-provider policy and of the clauses, in the order in which 8.2.2 and 8.3.2 ask
 * them. Which clauses each one fulfils stands in `clauses.ts`.
 */

import type { SessionContext } from './context.ts';
import type { EventOf, SessionEvent } from './events.ts';
import { allClosed, liveFarLegs, liveIwfLegs } from './legs.ts';
import { NEVER_INTERWORKED, type RegisteredClient } from './policy.ts';
import { relayFrom, relayTo } from './relays.ts';
import { offerRefused, streamsToOffer } from './streams.ts';

type Args = { readonly context: SessionContext; readonly event: SessionEvent };
type Guard = (args: Args) => boolean;
/** As much of a session as tells what is offered, and to whom. */
type Invited = Pick<SessionContext, 'invite' | 'policy' | 'role' | 'mode'>;

const isOriginating = (context: SessionContext): boolean => context.role === 'orig';
const isTerminating = (context: SessionContext): boolean => context.role === 'term';

// --- who may do what (authorising) ---------------------------------------------------------------------------

/** 8.2.2.1 step 1: no authenticated originator, no such user, or not this service. */
const serviceNotAuthorised: Guard = ({ context }) => {
  const { profile, invite } = context;
  if (!isOriginating(context) || profile === null) return false;
  if (invite.originators.length === 0 || !profile.known) return true;
  return profile.services !== null && !profile.services.includes(invite.service);
};

/** The terminating text assumes that the user exists; RFC 3261 8.2.2.1 has the answer where not. */
const servedUserUnknown: Guard = ({ context }) => isTerminating(context) && context.profile?.known === false;

/** 8.2.2.1 step 2, 8.3.2.1 step 1. */
const versionNotSupported: Guard = ({ context }) => {
  const required = context.policy.requiredUserAgent;
  if (required === null || context.profile === null) return false;
  const { release } = context.invite;
  if (release === null) return required.onMissing === 'refuse';
  return compareReleases(release, required.min) < 0 || compareReleases(release, required.max) > 0;
};

function compareReleases(left: string, right: string): number {
  const [leftMajor = 0, leftMinor = 0] = left.split('.').map(Number);
  const [rightMajor = 0, rightMinor = 0] = right.split('.').map(Number);
  return leftMajor - rightMajor || leftMinor - rightMinor;
}

/** 8.2.2.1 step 3, 8.3.2.1 step 2. */
const anonymityNotAllowed: Guard = ({ context }) => {
  const { policy, invite, profile } = context;
  if (policy.allowAnonymity || profile === null) return false;
  return invite.anonymityRequested || (policy.anonymityFromHeader && invite.anonymousFrom);
};

/** 8.3.2.1 step 3. */
const originatorBlacklisted: Guard = ({ context }) => isTerminating(context) && context.profile?.blacklisted === true;

/** 8.3.2.1 step 4. */
const doNotDisturb: Guard = ({ context }) => isTerminating(context) && context.profile?.doNotDisturb === true;

/** 8.3.2.1 step 5. A late offer can't be judged yet. */
const mediaNotAllowed: Guard = ({ context }) => {
  const { policy, invite, profile } = context;
  if (!isTerminating(context) || profile === null || invite.streams === null) return false;
  return offerRefused(invite.streams, policy);
};

/** 8.3.2.1 step 5 for a late offer, which comes with the answer. A proxy can't take a 200 back. */
const lateOfferNotAllowed: Guard = ({ context, event }) => {
  const { offered } = event as EventOf<'answered'>;
  if (!isTerminating(context) || context.mode !== 'b2bua' || offered === undefined || offered === null) return false;
  return offerRefused(offered, context.policy);
};

/** RFC 4028 9: the interval is below what we take, and the caller can be told so. */
const intervalTooSmall: Guard = ({ context }) => {
  const { timer } = context.invite;
  return timer.supported && timer.se !== null && timer.se < context.policy.timers.minSE && context.profile !== null;
};

const authorised: Guard = ({ context }) => context.profile !== null;

// --- where it goes (choosingRoute) -------------------------------------------------------------------------------

/** RFC 3261 8.2.2.3 and 16.3: a B2BUA answers for Require, a proxy for Proxy-Require. */
const extensionsUnsupported: Guard = ({ context }) => {
  const { require, proxyRequire } = context.invite.unsupported;
  return (context.mode === 'b2bua' ? require : proxyRequire).length > 0;
};

/** 8.3.2.1 step 6: registered for the service and not barred by preference. */
export const noClientRegistered: Guard = ({ context }) => isAway(context);

function isAway(context: Pick<SessionContext, 'role' | 'profile' | 'invite'>): boolean {
  return context.role === 'term' && clientsOf(context)?.some((client) => offersService(client, context)) === false;
}

const noClientReject: Guard = (args) => noClientRegistered(args) && !mayInterworkUnreachable(args.context);
const noClientInterwork: Guard = (args) => noClientRegistered(args) && mayInterworkUnreachable(args.context);

/** The session is for a user without a client, and policy and media plane let the function take its messages itself. */
export function mayKeepSession(context: Pick<SessionContext, 'role' | 'policy' | 'profile' | 'invite'>): boolean {
  const { policy, invite, profile } = context;
  if (policy.noClient !== 'defer' || policy.keepsSessions !== true || policy.mediaPath === 'never') return false;
  // What nobody vouches for is not kept: strangers could fill the room of others.
  if (invite.service !== 'session' || invite.originators.length === 0 || invite.sessionReplaces !== null) return false;
  if (profile?.interworking === true && policy.isfAvailable) return false;
  const chat = invite.streams?.some(({ media, disabled }) => media === 'message' && !disabled) === true;
  return chat && isAway(context);
}

const noClientDefer: Guard = ({ context }) => context.mode === 'b2bua' && mayKeepSession(context);

function mayInterworkUnreachable(context: SessionContext): boolean {
  const { policy, profile } = context;
  return policy.isfAvailable && (profile?.interworking ?? policy.noClient === 'interwork');
}

/** 8.2.2.1 steps 4h and 5c. The terminating side has its user's own address as destination. */
const destinationOutsideSip: Guard = ({ context }) => isOriginating(context) && goesToIsf(context);

/** RFC 3261 21.4.14: neither the core nor the ISF takes it. */
const destinationUnroutable: Guard = ({ context }) => {
  if (goesToIsf(context)) return isTerminating(context) || !context.policy.isfAvailable;
  return !CORE_SCHEMES.includes(context.invite.scheme);
};

const CORE_SCHEMES = ['sip', 'sips', 'tel'];

function goesToIsf(context: SessionContext): boolean {
  const { isfSchemes } = context.policy;
  const { scheme } = context.invite;
  return isfSchemes === 'others' ? !CORE_SCHEMES.includes(scheme) : isfSchemes.includes(scheme);
}

/** 8.3.2.1 steps 7c-iv and 8b-i. Where the client is not known, the header is as if it were absent. */
const extendsKnownSession: Guard = ({ context }) =>
  isTerminating(context) &&
  context.invite.sessionReplaces !== null &&
  (context.profile?.replacedInstance ?? null) !== null;

/** 8.3.2.1 steps 7c-v and 8b-ii: registered for the service, and able to take at least one offered media. */
export function suitableClients(clients: readonly RegisteredClient[], context: Invited): RegisteredClient[] {
  const streams = streamsToOffer(context);
  return clients.filter(
    (client) =>
      offersService(client, context) &&
      (streams === null || streams.some((stream) => !stream.disabled && client.media.includes(stream.media))),
  );
}

const noClientSuitable: Guard = ({ context }) => {
  const clients = clientsOf(context);
  return isTerminating(context) && clients !== null && suitableClients(clients, context).length === 0;
};

/** 8.3.2.1 step 7c-v second bullet; proxy mode has no such bullet. */
const noClientSuitableInterwork: Guard = (args) =>
  args.context.mode === 'b2bua' && noClientSuitable(args) && mayInterworkUnreachable(args.context);

/** Null where nobody knows who is registered. */
function clientsOf(context: Pick<SessionContext, 'profile'>): readonly RegisteredClient[] | null {
  return context.profile?.clients ?? null;
}

function offersService(client: RegisteredClient, context: Pick<SessionContext, 'invite'>): boolean {
  return client.services.includes(context.invite.service);
}

// --- answers to the invitation (ringing, answering) --------------------------------------------------------------

const proxying: Guard = ({ context }) => context.mode === 'proxy';

const fromCurrentLeg: Guard = ({ context, event }) => 'leg' in event && event.leg === context.current;

/** The leg tried last has failed, and nobody has called it off: after a CANCEL nothing new is tried (RFC 3261 16.10). */
export const mayTryElsewhere: Guard = (args) => {
  const { current, legs } = args.context;
  return fromCurrentLeg(args) && current !== null && legs[current]?.phase !== 'cancelling';
};

/** 8.3.2.1: a 302 in the terminating network, within bounds. Other 3xx go upstream. */
const redirected: Guard = (args) => {
  const { context, event } = args;
  const failed = event as EventOf<'failed'>;
  if (!mayTryElsewhere(args) || !isTerminating(context)) return false;
  if (context.attempts.redirects >= context.policy.maxRedirects) return false;
  if (failed.status === 302) return failed.redirects.length > 0;
  // A target of the 302 has failed; there are others. A 6xx speaks for all of them (RFC 3261 21.6).
  return context.attempts.targets.length > 0 && failed.status >= 400 && failed.status < 600;
};

/** RFC 4028 7.3: a 422 tells the interval that would do; once is enough. */
const longerIntervalAsked: Guard = (args) => {
  const failed = args.event as EventOf<'failed'>;
  if (!mayTryElsewhere(args) || failed.status !== 422 || failed.minSE === null) return false;
  return args.context.mode === 'b2bua' && args.context.attempts.intervals === 0;
};

/** 8.2.2.1 error response, 8.3.2.1 final responses: policy decides; the ISF has one chance. */
const interworkingAllowed: Guard = (args) => {
  const { context } = args;
  const failed = args.event as EventOf<'failed'>;
  if (!mayTryElsewhere(args) || context.attempts.isf || !context.policy.isfAvailable) return false;
  if (context.profile?.interworking === false || NEVER_INTERWORKED[context.role].includes(failed.status)) return false;
  if (context.mode === 'proxy' && failed.status >= 600 && !context.policy.proxyInterworkOn6xx) return false;
  return context.policy.interworkOn[context.role].includes(failed.status);
};

/** The leg that answers was reached through the ISF. */
const answeredByIwf: Guard = (args) => fromCurrentLeg(args) && currentPeer(args.context) === 'iwf';

function currentPeer(context: SessionContext): string | undefined {
  return context.current === null ? undefined : context.legs[context.current]?.peer;
}

/** 200 step 1: some offered stream was rejected, and policy wants another session for it; one round. */
const secondaryWorthTrying: Guard = (args) => {
  const { context } = args;
  const answered = args.event as EventOf<'answered'>;
  if (!answeredByIwf(args) || context.policy.rejectedStreams !== 'interwork') return false;
  const streams = streamsToOffer(context);
  if (streams === null || answered.accepted === null) return false;
  const accepted = answered.accepted;
  const rejected = streams.some((stream, at) => !stream.disabled && accepted[at] !== true);
  return rejected && accepted.some(Boolean);
};

// --- inside the dialogs ----------------------------------------------------------------------------------------

/** BYE 4a: one of several IWFs leaves, and policy closes only its streams. */
const closesOnlyItsStreams: Guard = ({ context, event }) => {
  const bye = event as EventOf<'bye'>;
  if (context.policy.partialClose !== 'streams' || context.legs[bye.leg]?.peer !== 'iwf') return false;
  return liveIwfLegs(context.legs).some((name) => name !== bye.leg && context.carriers.includes(name));
};

const byeFromServedClient: Guard = ({ context, event }) =>
  context.legs[(event as EventOf<'bye'>).leg]?.peer === 'client';

/** RFC 3261 15: only the caller may send BYE in an early dialog. */
const byeFromInviter: Guard = ({ event }) => (event as EventOf<'bye'>).leg === 'a';

/** RFC 3261 15: the one who was invited has not answered, so there is nothing yet that it could end. */
const byeFromInvited: Guard = ({ context, event }) => {
  const { leg } = event as EventOf<'bye'>;
  return leg !== 'a' && context.legs[leg]?.phase === 'inviting';
};

const streamsToDrop: Guard = ({ context }) => context.drops.length > 0;

/** More than one far leg: a changed offer would have to be split among them. */
const severalFarLegs: Guard = ({ context }) => liveFarLegs(context.legs).length > 1;

/** A copy, after a restart, of what is under way to the other side already: its answer is awaited (RFC 3261 17.2.2). */
const isRelayed: Guard = ({ context, event }) => {
  const { leg, exchange } = event as EventOf<'request'>;
  return relayFrom(context.relays, leg, exchange) !== undefined;
};

const isOffer: Guard = ({ event }) => {
  const request = event as EventOf<'request'>;
  return request.method === 'INVITE' || (request.method === 'UPDATE' && request.offer !== 'none');
};

/** An UPDATE without an offer refreshes the session timer of its own leg and concerns nobody else. */
const isRefresh: Guard = ({ event }) => {
  const request = event as EventOf<'request'>;
  return request.method === 'UPDATE' && request.offer === 'none';
};

const isOptions: Guard = ({ event }) => (event as EventOf<'request'>).method === 'OPTIONS';

const unchangedOfferToSeveral: Guard = (args) =>
  isOffer(args) && severalFarLegs(args) && (args.event as EventOf<'request'>).offer !== 'changed';

const changedOfferToSeveral: Guard = (args) =>
  isOffer(args) && severalFarLegs(args) && (args.event as EventOf<'request'>).offer === 'changed';

/** RFC 3261 12.2.1.2: 481 ends the dialog, and so does silence to a re-INVITE or UPDATE (RFC 5057 5.1). */
const dialogGone: Guard = ({ context, event }) => {
  const response = event as EventOf<'response'>;
  const method = methodOf(context, response);
  if (response.status === 481) return !OUTLIVED_BY_DIALOG.includes(method);
  return response.status === 408 && (method === 'INVITE' || method === 'UPDATE');
};

/**
 * Their 481 is no word about the session: RFC 6665 and 3515 have usages of their own, and a PRACK gets it where the
 * response it is for is not known, as in a fork that has lost (RFC 3262 3).
 */
const OUTLIVED_BY_DIALOG: readonly string[] = ['NOTIFY', 'SUBSCRIBE', 'REFER', 'PRACK'];

function methodOf(context: SessionContext, response: EventOf<'response'>): string {
  const relay = relayTo(context.relays, response);
  if (relay !== undefined) return relay.method;
  return response.exchange.startsWith('reoffer') ? 'INVITE' : 'UPDATE';
}

/** A leg that was given up on the way has ended. */
const isByeAnswer: Guard = ({ event }) => (event as EventOf<'response'>).exchange === 'bye';
const isReofferAnswer: Guard = ({ event }) => (event as EventOf<'response'>).exchange.startsWith('reoffer');
const isRefreshAnswer: Guard = ({ event }) => (event as EventOf<'response'>).exchange.startsWith('refresh');

/** RFC 3261 14.1: glare; try again a little later. */
const glare: Guard = ({ event }) => (event as EventOf<'response'>).status === 491;

const refreshGlare: Guard = (args) => isRefreshAnswer(args) && glare(args);

/** The offer that is being renegotiated was accepted by INVITE, so an ACK is still to come. */
const awaitsAck: Guard = ({ context, event }) => {
  const response = event as EventOf<'response'>;
  if (response.status >= 300) return false;
  return relayTo(context.relays, response)?.method === 'INVITE';
};

/** The response belongs to the offer that is being renegotiated. */
const answersOffer: Guard = ({ context, event }) => {
  const relay = relayTo(context.relays, event as EventOf<'response'>);
  return relay?.method === 'INVITE' || (relay?.method === 'UPDATE' && relay.as.startsWith('offer'));
};

const acknowledgesOffer: Guard = ({ context, event }) => {
  const { leg } = event as EventOf<'acknowledged'>;
  return context.relays.some((relay) => relay.from === leg && relay.method === 'INVITE' && relay.answered);
};

// --- ending --------------------------------------------------------------------------------------------------------

/** Sealing the history is done, or nobody waits for it any longer. */
const historySettled: Guard = ({ context }) => !context.history.wanted || context.history.settled;

/** Every leg the sender of the BYE waits for has ended, and its 200 may carry the Message-UID. */
const farLegsEnded: Guard = (args) => {
  const { ending, legs } = args.context;
  if (ending === null || !historySettled(args)) return false;
  return ending.joinOver || ending.awaited.every((name) => legs[name]?.phase === 'closed');
};

/** This answer to our BYE is all that was still missing. */
const lastAnswer: Guard = (args) => {
  const { context, event } = args;
  const response = event as EventOf<'response'>;
  if (context.mode === 'proxy' || response.exchange !== 'bye' || !historySettled(args)) return false;
  return allClosed(context.legs, [response.leg]);
};

const answersProxiedBye: Guard = ({ context, event }) =>
  context.mode === 'proxy' && (event as EventOf<'response'>).exchange.includes('-bye-');

const everyLegClosed: Guard = ({ context }) => context.byes.length === 0 && allClosed(context.legs);

// --- recording -------------------------------------------------------------------------------------------------------

/** O-200B-7: allow-offline-storage, kept with the session when it was answered. */
const historyWanted: Guard = ({ context }) => context.history.wanted;

/** the folder is there, so a store that works again brings the recording back. */
const historyOpen: Guard = ({ context }) => context.history.sessionInfoUid !== null;

const sessionEnding: Guard = ({ context }) => context.ending !== null;

/** A lost media connection ends the session, unless policy waits for it to come back (digest 2.3, invariant 2). */
const mediaFailureEnds: Guard = ({ context }) => context.policy.mediaFailure !== 'keep';

export const guards = {
  serviceNotAuthorised,
  servedUserUnknown,
  versionNotSupported,
  anonymityNotAllowed,
  originatorBlacklisted,
  doNotDisturb,
  mediaNotAllowed,
  lateOfferNotAllowed,
  intervalTooSmall,
  authorised,
  extensionsUnsupported,
  noClientDefer,
  noClientReject,
  noClientInterwork,
  destinationOutsideSip,
  destinationUnroutable,
  extendsKnownSession,
  noClientSuitable,
  noClientSuitableInterwork,
  proxying,
  fromCurrentLeg,
  redirected,
  longerIntervalAsked,
  interworkingAllowed,
  answeredByIwf,
  secondaryWorthTrying,
  closesOnlyItsStreams,
  byeFromServedClient,
  byeFromInviter,
  byeFromInvited,
  streamsToDrop,
  isRelayed,
  isOffer,
  isRefresh,
  isOptions,
  unchangedOfferToSeveral,
  changedOfferToSeveral,
  dialogGone,
  isByeAnswer,
  isReofferAnswer,
  isRefreshAnswer,
  refreshGlare,
  glare,
  awaitsAck,
  answersOffer,
  acknowledgesOffer,
  historySettled,
  farLegsEnded,
  lastAnswer,
  answersProxiedBye,
  everyLegClosed,
  historyWanted,
  historyOpen,
  sessionEnding,
  mediaFailureEnds,
} satisfies Record<string, Guard>;

export type GuardName = keyof typeof guards;
