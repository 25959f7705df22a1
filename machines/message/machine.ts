/**
 * A pager-mode message of a Participating Function (SIP MESSAGE with the CPM message service), originating and
 * terminating. In the style of the session beside it: guards ask, actions order, effects are data, deadlines are
 * absolute times, and every way to end enters `ending`.
 *
 * While its sender waits (`judging`, `passing`) the function is a proxy. Once it has said 202 (`kept`) the message is
 * its own to deliver. What is kept for one user is delivered in order: the engine says whose turn it is.
 */
import { setup } from 'xstate';
import { actions } from './actions.ts';
import { initialContext, type MessageContext, type MessageInput } from './context.ts';
import type { MessageEvent } from './events.ts';
import { guards } from './guards.ts';

export { type ActionName, actions } from './actions.ts';

const message = setup({
  types: {
    context: {} as MessageContext,
    events: {} as MessageEvent,
    input: {} as MessageInput,
  },
  guards,
  actions,
});

const PASSING = '#passing';
const WAITING = '#waiting';
const DELIVERING = '#delivering';
const ENDING = '#ending';
const CLOSED = '#messageClosed';

/** The order of 8.2.2.1 steps 1 to 3 and 8.3.2.1 steps 1 to 4. */
const authorising = message.createStateConfig({
  entry: 'fetchPreferences',
  on: {
    preferencesKnown: { actions: 'keepPreferences' },
    preferencesOverdue: { actions: 'assumeDefaults' },
  },
  always: [
    { guard: 'ownDelivery', target: PASSING, actions: 'passToCore' },
    { guard: 'saidInSession', target: WAITING, actions: 'keepForClient' },
    { guard: 'tooLarge', target: ENDING, actions: 'refuseTooLarge' },
    { guard: 'serviceNotAuthorised', target: ENDING, actions: 'refuseServiceNotAuthorised' },
    { guard: 'servedUserUnknown', target: ENDING, actions: 'refuseUnknownUser' },
    { guard: 'versionNotSupported', target: ENDING, actions: 'refuseVersion' },
    { guard: 'anonymityNotAllowed', target: ENDING, actions: 'refuseAnonymity' },
    { guard: 'originatorBlacklisted', target: ENDING, actions: 'refuseBlacklisted' },
    { guard: 'doNotDisturb', target: ENDING, actions: 'refuseDoNotDisturb' },
    { guard: 'authorised', target: 'choosingRoute' },
  ],
});

const choosingRoute = message.createStateConfig({
  always: [
    { guard: 'extensionsUnsupported', target: ENDING, actions: 'refuseExtension' },
    { guard: 'destinationUnroutable', target: ENDING, actions: 'refuseScheme' },
    { guard: 'keptAlready', target: ENDING, actions: 'acceptAgain' },
    { guard: 'othersWait', target: WAITING, actions: 'keepForClient' },
    { guard: 'noClientInterwork', target: PASSING, actions: 'passToIsf' },
    { guard: 'noClientDefer', target: WAITING, actions: 'keepForClient' },
    { guard: 'noClientReject', target: ENDING, actions: 'refuseNoClient' },
    { guard: 'destinationOutsideSip', target: PASSING, actions: 'passToIsf' },
    { target: PASSING, actions: 'passToCore' },
  ],
});

/** Sent on; the sender waits for the answer. */
const passing = message.createStateConfig({
  id: 'passing',
  on: {
    answered: { target: ENDING, actions: 'passSuccess' },
    failed: [
      { guard: 'deferralAllowed', target: WAITING, actions: 'keepAfterFailure' },
      { guard: 'interworkingAllowed', actions: 'passToIsf' },
      { target: ENDING, actions: 'passFailure' },
    ],
    answerOver: { guard: 'roomToKeep', target: DELIVERING, actions: 'keepMeanwhile' },
    senderGone: { target: ENDING, actions: 'endAbandoned' },
  },
});

const kept = message.createStateConfig({
  initial: 'waiting',
  on: { dropOrdered: { target: ENDING, actions: 'endDropped' } },
  states: {
    waiting: {
      id: 'waiting',
      on: {
        turnCame: { target: 'delivering', actions: 'deliver' },
        retryDue: { actions: 'seeToTurn' },
        expired: { target: ENDING, actions: 'endExpired' },
      },
    },
    delivering: {
      id: 'delivering',
      on: {
        answered: { target: ENDING, actions: 'endDelivered' },
        failed: [
          { guard: 'refusedForGood', target: ENDING, actions: 'endRejected' },
          { guard: 'pastExpiry', target: ENDING, actions: 'endExpired' },
          { target: 'waiting', actions: 'waitAgain' },
        ],
      },
    },
  },
});

/** However it ended; one that was promised to arrive and did not is told of. */
const ending = message.createStateConfig({
  id: 'ending',
  initial: 'concluding',
  states: {
    concluding: {
      always: [{ guard: 'senderWantsToKnow', target: 'notifying', actions: 'notifySender' }, { target: CLOSED }],
    },
    notifying: {
      on: {
        answered: { target: CLOSED, actions: 'noteNotified' },
        failed: { target: CLOSED, actions: 'noteNotified' },
      },
    },
  },
});

export const messageMachine = message.createMachine({
  id: 'message',
  context: ({ input }) => initialContext(input),
  initial: 'judging',
  states: {
    judging: { initial: 'authorising', states: { authorising, choosingRoute } },
    passing,
    kept,
    ending,
    closed: { id: 'messageClosed', meta: { final: true } },
  },
});

export type MessageMachine = typeof messageMachine;
