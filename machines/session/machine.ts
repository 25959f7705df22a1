/**
 * The CPM session of a Participating Function, originating and terminating, proxy and B2BUA.
 *
 * Two rules, and everything that decides a transition is in this folder:
 * 1. `call` moves by what the legs say and by deadlines; `recording` moves by what the store says, and by what
 *    `call` has noted in the context. Neither waits inside a transition.
 * 2. Every way to end enters `tearingDown` once and leaves it only to `closed`.
 *
 * Read it beside the clause table: `authorising` holds steps 1 to 3 (8.2.2.1) and 1 to 5 (8.3.2.1) in their order,
 * `choosingRoute` the rest of them, `ringing` and `answering` the responses, the established states 8.2.2.3 and
 * 8.3.2.3, `tearingDown` how they end. Which guard or action fulfils which clause stands in `clauses.ts`.
 */
import { setup } from 'xstate';
import { answer } from './actions/answer.ts';
import { history } from './actions/history.ts';
import { inDialog } from './actions/in-dialog.ts';
import { invite } from './actions/invite.ts';
import { partialClose } from './actions/partial-close.ts';
import { proxy } from './actions/proxy.ts';
import { refusals } from './actions/refusals.ts';
import { sessionTimer } from './actions/session-timer.ts';
import { teardown } from './actions/teardown.ts';
import { initialContext, type SessionContext, type SessionInput } from './context.ts';
import type { SessionEvent } from './events.ts';
import { guards } from './guards.ts';

export { mayBeRecorded } from './recorded.ts';

export const actions = {
  ...refusals,
  ...invite,
  ...answer,
  ...inDialog,
  ...partialClose,
  ...sessionTimer,
  ...teardown,
  ...proxy,
  ...history,
};

export type ActionName = keyof typeof actions;

const session = setup({
  types: {
    context: {} as SessionContext,
    events: {} as SessionEvent,
    input: {} as SessionInput,
  },
  guards,
  actions,
});

// States that transitions aim at from afar, by id.
const PROXYING = '#proxying';
const ESTABLISHED = '#established';
const INTERWORKING = '#interworking';
const CLAIMING = '#claiming';
const CLOSING = '#closing';
const DRAINING = '#draining';
const CLOSED = '#closed';

/** Refusals of an invitation, in the order of the clauses. */
const authorising = session.createStateConfig({
  entry: 'fetchPreferences',
  on: {
    preferencesKnown: { actions: 'keepPreferences' },
    preferencesOverdue: { actions: 'assumeDefaults' },
  },
  always: [
    { guard: 'serviceNotAuthorised', target: DRAINING, actions: 'refuseServiceNotAuthorised' },
    { guard: 'servedUserUnknown', target: DRAINING, actions: 'refuseUnknownUser' },
    { guard: 'versionNotSupported', target: DRAINING, actions: 'refuseVersion' },
    { guard: 'anonymityNotAllowed', target: DRAINING, actions: 'refuseAnonymity' },
    { guard: 'originatorBlacklisted', target: DRAINING, actions: 'refuseBlacklisted' },
    { guard: 'doNotDisturb', target: DRAINING, actions: 'refuseDoNotDisturb' },
    { guard: 'mediaNotAllowed', target: DRAINING, actions: 'refuseMedia' },
    { guard: 'intervalTooSmall', target: DRAINING, actions: 'refuseInterval' },
    { guard: 'authorised', target: 'choosingRoute' },
  ],
});

const choosingRoute = session.createStateConfig({
  entry: 'chooseMode',
  always: [
    { guard: 'extensionsUnsupported', target: DRAINING, actions: 'refuseExtension' },
    { guard: 'destinationUnroutable', target: DRAINING, actions: 'refuseScheme' },
    { guard: 'noClientDefer', target: 'ringing', actions: 'inviteDeferral' },
    { guard: 'noClientReject', target: DRAINING, actions: 'refuseNoClient' },
    { guard: 'noClientInterwork', target: 'ringing', actions: 'inviteIsf' },
    { guard: 'destinationOutsideSip', target: 'ringing', actions: 'inviteIsf' },
    { guard: 'extendsKnownSession', target: 'ringing', actions: 'inviteReplacedClient' },
    { guard: 'noClientSuitableInterwork', target: 'ringing', actions: 'inviteIsf' },
    { guard: 'noClientSuitable', target: DRAINING, actions: 'refuseNoSuitableClient' },
    { target: 'ringing', actions: 'inviteCore' },
  ],
});

const ringing = session.createStateConfig({
  on: {
    provisional: [{ guard: 'proxying', actions: 'forwardProvisional' }, { actions: 'relayProgress' }],
    answered: [
      { guard: 'proxying', target: PROXYING, actions: 'forwardAnswer' },
      { guard: 'lateOfferNotAllowed', target: CLOSING, actions: 'refuseLateOffer' },
      { guard: 'secondaryWorthTrying', target: 'answering', actions: 'inviteSecondary' },
      { guard: 'answeredByIwf', target: INTERWORKING, actions: 'answerInviter' },
      { target: ESTABLISHED, actions: 'answerInviter' },
    ],
    failed: [
      { guard: 'redirected', actions: 'followRedirect' },
      { guard: 'longerIntervalAsked', actions: 'inviteWithLongerInterval' },
      { guard: 'interworkingAllowed', actions: 'interworkInstead' },
      { guard: 'proxying', target: DRAINING, actions: 'forwardRefusal' },
      { guard: 'fromCurrentLeg', target: DRAINING, actions: 'forwardFailure' },
      { actions: 'noteLegFailed' },
    ],
    cancelled: [
      { guard: 'proxying', actions: 'cancelBranch' },
      { target: CLOSING, actions: 'endByCancel' },
    ],
    ringingOver: { target: CLOSING, actions: 'endByRingingTimeout' },
    // RFC 3261 15: the inviter may end the early dialog so too; a proxy passes it on and awaits the 487.
    bye: [
      { guard: 'proxying', actions: 'forwardRequest' },
      { guard: 'byeFromInviter', target: CLOSING, actions: 'endByEarlyBye' },
      { actions: 'refuseBye' },
    ],
    // PRACK, UPDATE, INFO in an early dialog (digest 3.9).
    request: [{ guard: 'proxying', actions: 'forwardRequest' }, { guard: 'isRelayed' }, { actions: 'relayRequest' }],
    response: [{ guard: 'proxying', actions: 'forwardReply' }, { actions: 'relayResponse' }],
  },
});

/** The ISF's first answer is held back while its rejected streams get another chance. */
const answering = session.createStateConfig({
  on: {
    answered: { target: INTERWORKING, actions: 'answerWithSecondary' },
    failed: { target: INTERWORKING, actions: ['noteLegFailed', 'answerWithoutSecondary'] },
    secondaryOver: { target: INTERWORKING, actions: 'answerWithoutSecondary' },
    cancelled: { target: CLOSING, actions: 'endByCancel' },
    bye: [
      { guard: 'byeFromInvited', actions: 'refuseBye' },
      { target: CLOSING, actions: 'endByEarlyBye' },
    ],
  },
});

const inviting = session.createStateConfig({
  initial: 'authorising',
  on: {
    cancelled: { target: CLOSING, actions: 'endByCancel' },
    bye: [{ guard: 'byeFromInviter', target: CLOSING, actions: 'endByEarlyBye' }, { actions: 'refuseBye' }],
    unacknowledged: { target: CLAIMING, actions: 'endByMissingAck' },
    endOrdered: [
      { guard: 'proxying', target: DRAINING, actions: 'cancelByOrder' },
      { target: CLAIMING, actions: 'endByOrder' },
    ],
  },
  states: { authorising, choosingRoute, ringing, answering },
});

const proxying = session.createStateConfig({
  id: 'proxying',
  on: {
    provisional: { actions: 'forwardProvisional' },
    acknowledged: { actions: 'forwardAck' },
    request: { actions: 'forwardRequest' },
    response: [
      // A BYE of the early dialog that crossed the 2xx: it has ended the session all the same.
      { guard: 'answersProxiedBye', target: DRAINING, actions: 'endByForwardedBye' },
      { actions: 'forwardReply' },
    ],
    bye: { target: DRAINING, actions: 'forwardBye' },
    sessionExpired: { target: DRAINING, actions: 'forgetByTimer' },
    endOrdered: { target: DRAINING, actions: 'forgetByOrder' },
  },
});

/** How an established B2BUA session ends, whatever else it is doing. */
const endings = {
  bye: [
    { guard: 'byeFromServedClient', target: CLOSING, actions: 'endByServedClient' },
    { target: CLAIMING, actions: 'endByFarSide' },
  ],
  sessionExpired: { target: CLAIMING, actions: 'endByTimer' },
  unacknowledged: { target: CLAIMING, actions: 'endByMissingAck' },
  mediaFailed: { guard: 'mediaFailureEnds', target: CLAIMING, actions: 'endByMediaFailure' },
  endOrdered: { target: CLAIMING, actions: 'endByOrder' },
} as const;

/** Legs that were given up on the way here: their INVITE may still be answered, or end. */
const leftovers = {
  answered: { actions: 'endLateAnswer' },
  failed: { actions: 'noteLegFailed' },
} as const;

/** Requests that any state with a live dialog takes; an offer is each state's own matter. */
const ownRequests = [
  { guard: 'isRelayed' },
  { guard: 'isOptions', actions: 'answerOptions' },
  { guard: 'isRefresh', actions: 'confirmUnchanged' },
] as const;

/** Answers to requests of our own, and the one answer that ends the dialog. */
const ownAnswers = [
  { guard: 'isByeAnswer', actions: 'noteAnswer' },
  { guard: 'dialogGone', target: CLAIMING, actions: 'endByDialogGone' },
  { guard: 'refreshGlare', actions: 'refreshAgainSoon' },
  { guard: 'isRefreshAnswer', actions: 'noteRefreshAnswer' },
] as const;

/** An offer is on its way from one side to the other; a second one has to wait (RFC 3261 14). */
const renegotiating = session.createStateConfig({
  on: {
    acknowledged: [
      { guard: 'acknowledgesOffer', target: 'steady', actions: 'relayAck' },
      { actions: 'acknowledgeFarLegs' },
    ],
    request: [...ownRequests, { guard: 'isOffer', actions: 'refuseGlare' }, { actions: 'relayRequest' }],
    exchangeCancelled: { actions: 'relayCancel' },
    response: [
      ...ownAnswers,
      { guard: 'awaitsAck', actions: 'relayResponse' },
      { guard: 'answersOffer', target: 'steady', actions: 'relayResponse' },
      { actions: 'relayResponse' },
    ],
  },
});

const b2buaEstablished = session.createStateConfig({
  id: 'established',
  initial: 'steady',
  on: { ...endings, ...leftovers, refreshDue: { actions: 'refreshSession' } },
  states: {
    steady: {
      on: {
        acknowledged: { actions: 'acknowledgeFarLegs' },
        request: [
          ...ownRequests,
          { guard: 'isOffer', target: 'renegotiating', actions: 'relayOffer' },
          { actions: 'relayRequest' },
        ],
        response: [...ownAnswers, { actions: 'relayResponse' }],
      },
    },
    renegotiating,
  },
});

const interworking = session.createStateConfig({
  id: 'interworking',
  initial: 'steady',
  on: {
    ...endings,
    ...leftovers,
    bye: [{ guard: 'closesOnlyItsStreams', actions: 'closeStreams' }, ...endings.bye],
    refreshDue: { actions: 'refreshSession' },
  },
  states: {
    steady: {
      always: { guard: 'streamsToDrop', target: 'closingStreams', actions: 'reofferWithoutStreams' },
      on: {
        acknowledged: { actions: 'acknowledgeFarLegs' },
        request: [
          ...ownRequests,
          { guard: 'unchangedOfferToSeveral', actions: 'confirmUnchanged' },
          { guard: 'changedOfferToSeveral', actions: 'refuseSplitOffer' },
          { guard: 'isOffer', target: 'renegotiating', actions: 'relayOffer' },
          { actions: 'relayRequest' },
        ],
        response: [...ownAnswers, { actions: 'relayResponse' }],
      },
    },
    renegotiating,
    /** The re-INVITE that takes out the streams of an IWF that left. */
    closingStreams: {
      on: {
        acknowledged: { actions: 'acknowledgeFarLegs' },
        request: [...ownRequests, { guard: 'isOffer', actions: 'refuseGlare' }, { actions: 'relayRequest' }],
        reofferDue: { actions: 'reofferAgain' },
        response: [
          ...ownAnswers,
          { guard: 'glare', actions: 'reofferAgainSoon' },
          { guard: 'isReofferAnswer', target: 'steady', actions: 'acknowledgeReoffer' },
          { actions: 'relayResponse' },
        ],
      },
    },
  },
});

const teardownResponses = [
  { guard: 'answersProxiedBye', actions: 'forwardByeAnswer' },
  { guard: 'proxying', actions: 'forwardReply' },
  { actions: 'noteAnswer' },
] as const;

const tearingDown = session.createStateConfig({
  initial: 'claiming',
  on: {
    bye: [{ guard: 'proxying', actions: 'forwardRequest' }, { actions: 'answerCrossingBye' }],
    answered: [{ guard: 'proxying', actions: 'forwardLast' }, { actions: 'endLateAnswer' }],
    failed: [{ guard: 'proxying', actions: 'forwardLast' }, { actions: 'noteLegFailed' }],
    acknowledged: [{ guard: 'proxying', actions: 'forwardAck' }, { actions: 'sayHeldBye' }],
    unacknowledged: { actions: 'sayHeldBye' },
    request: [{ guard: 'proxying', actions: 'forwardRequest' }, { actions: 'refuseRequest' }],
    response: teardownResponses,
    byeJoinOver: { actions: 'noteJoinOver' },
    storeBudgetOver: { actions: 'noteBudgetSpent' },
    teardownOver: [
      { guard: 'proxying', target: '.answering', actions: 'stopForwarding' },
      { target: '.answering', actions: ['tellLegs', 'closeAllLegs', 'answerByes'] },
    ],
  },
  states: {
    /** The history is sealed before anyone hears of the end. */
    claiming: {
      id: 'claiming',
      always: { guard: 'historySettled', target: 'closing', actions: 'tellLegs' },
    },
    /** BYEs are out, or CANCELs; their answers come in. */
    closing: {
      id: 'closing',
      on: {
        // The last answer ends it all; the same as going through the states below, in one step.
        response: [
          { guard: 'lastAnswer', target: CLOSED, actions: ['noteAnswer', 'answerByes', 'letGo'] },
          ...teardownResponses,
        ],
      },
      always: { guard: 'farLegsEnded', target: 'answering', actions: 'answerByes' },
    },
    /** Everyone who asked has been answered; the last legs drain. */
    answering: {
      id: 'draining',
      always: { guard: 'everyLegClosed', target: CLOSED, actions: 'letGo' },
    },
  },
});

const call = session.createStateConfig({
  initial: 'inviting',
  states: {
    inviting,
    proxying,
    b2buaEstablished,
    interworking,
    tearingDown,
    closed: { id: 'closed', meta: { final: true } },
  },
});

/** 8.5: the conversation's history, beside the call and never in its way. */
const recording = session.createStateConfig({
  initial: 'off',
  states: {
    off: {
      always: { guard: 'historyWanted', target: 'opening', actions: 'openHistoryFolder' },
    },
    opening: {
      on: {
        historyOpened: { target: 'live', actions: 'noteSessionInfo' },
        historyFailed: { target: 'degraded', actions: 'noteStoreFailure' },
      },
      always: { guard: 'sessionEnding', target: 'sealing', actions: 'sealHistory' },
    },
    live: {
      on: { historyFailed: { target: 'degraded', actions: 'noteStoreFailure' } },
      always: { guard: 'sessionEnding', target: 'sealing', actions: 'sealHistory' },
    },
    /** The store fails; the outbox keeps what is to be stored, and the call goes on. */
    degraded: {
      on: {
        historyOpened: { target: 'live', actions: 'noteSessionInfo' },
        historyStored: { guard: 'historyOpen', target: 'live' },
        historyFailed: { actions: 'noteStoreFailure' },
      },
      always: { guard: 'sessionEnding', target: 'sealing', actions: 'sealHistory' },
    },
    sealing: {
      on: {
        historyOpened: { actions: 'noteSessionInfo' },
        historyFailed: { actions: 'noteStoreFailure' },
        historySealed: { target: 'sealed', actions: 'noteSealed' },
      },
    },
    sealed: { meta: { final: true } },
  },
});

export const sessionMachine = session.createMachine({
  id: 'session',
  context: ({ input }) => initialContext(input),
  type: 'parallel',
  states: { call, recording },
});

export type SessionMachine = typeof sessionMachine;

/**
 * The same session without its recording region, for one of which it is certain that nothing will be recorded: each
 * event costs a fifth less. Its value is that of the `call` region alone.
 */
export const unrecordedMachine = session.createMachine({
  id: 'session',
  context: ({ input }) => initialContext(input),
  ...call,
}) as unknown as SessionMachine;
