/** What a pager-mode message orders: refusing, passing on, keeping, delivering. */
import { assumedProfile, keepProfile } from '../session/actions/invite.ts';
import { WARNINGS } from '../session/actions/refusals.ts';
import { mayBeRecorded } from '../session/recorded.ts';
import type { Outcome } from './context.ts';
import type { EventOf } from './events.ts';
import { mayBeKept } from './guards.ts';
import { type MessageTurn, order } from './order.ts';

/** The one way to end: whatever ends a message says so here, once. */
function conclude(turn: MessageTurn, outcome: Outcome): void {
  if (turn.get('outcome') !== null) return;
  turn.set('outcome', outcome);
  turn.clearDeadlines();
  turn.checkpoint();
}

function refuse(turn: MessageTurn, status: number, warning?: string): void {
  turn.order(warning === undefined ? { type: 'refuse', status } : { type: 'refuse', status, warning });
  turn.set('answered', true);
  conclude(turn, 'refused');
}

function pass(turn: MessageTurn, to: 'core' | 'isf'): void {
  turn.set('way', to);
  turn.order({ type: 'pass', to });
  turn.checkpoint();
}

/** The served user's own copy: from here on the function answers for the message, or the far side does. */
function record(turn: MessageTurn): void {
  const policy = turn.get('policy');
  const profile = turn.get('profile');
  const { content, ours, inSession } = turn.get('message');
  // The recorder of the session has it.
  if (ours || inSession || profile === null || !mayBeRecorded({ policy, profile, role: turn.get('role') })) return;
  if (content === 'composing' || (content === 'notification' && !policy.messages.recordNotifications)) return;
  turn.order({ type: 'record' });
}

/** 202, and from here on the message must not be lost. */
function keep(turn: MessageTurn): void {
  const { lifetimeMs } = turn.get('policy').messages.deferred;
  const { lifetimeSeconds } = turn.get('message');
  const asked = lifetimeSeconds === null ? lifetimeMs : lifetimeSeconds * 1000;
  turn.clearDeadline('answerOver');
  turn.setDeadline('expired', turn.get('at') + Math.min(lifetimeMs, asked));
  turn.order({ type: 'accept' });
  turn.set('answered', true);
  record(turn);
  turn.checkpoint();
}

/** No text says when; twice as long each time keeps a client that is gone from costing much. */
function tryAgainLater(turn: MessageTurn): void {
  const { retryMs, longestRetryMs } = turn.get('policy').messages.deferred;
  const pause = retryMs * 2 ** Math.max(0, turn.get('deliveries') - 1);
  turn.setDeadline('retryDue', turn.at + Math.min(pause, longestRetryMs));
}

export const actions = {
  fetchPreferences: order((turn) => {
    if (turn.get('profile') !== null) return;
    turn.order({ type: 'fetchPreferences' });
    // There is no 100 for a MESSAGE: until it is answered its sender says it again, so nothing need be stored yet.
    turn.setDeadline('preferencesOverdue', turn.at + turn.get('policy').preferencesTimeoutMs);
  }),

  keepPreferences: order<EventOf<'preferencesKnown'>>((turn, event) => keepProfile(turn, event.profile)),

  assumeDefaults: order((turn) => keepProfile(turn, assumedProfile(turn.get('lastKnown'), turn.get('policy')))),

  /** 413: RFC 3261 21.4.11. */
  refuseTooLarge: order((turn) => refuse(turn, 413)),
  /** 403 with "127 Service not authorised". */
  refuseServiceNotAuthorised: order((turn) => refuse(turn, 403, WARNINGS.serviceNotAuthorised)),
  /** 404: RFC 3261 8.2.2.1. */
  refuseUnknownUser: order((turn) => refuse(turn, 404)),
  /** 403 with "132 Version not supported". */
  refuseVersion: order((turn) => refuse(turn, 403, WARNINGS.versionNotSupported)),
  /** 403 with "119 Anonymity not allowed". */
  refuseAnonymity: order((turn) => refuse(turn, 403, WARNINGS.anonymityNotAllowed)),
  /** 403 with "122 Function not allowed". */
  refuseBlacklisted: order((turn) => refuse(turn, 403, WARNINGS.functionNotAllowed)),
  /** 480, as for a session. */
  refuseDoNotDisturb: order((turn) => refuse(turn, 480)),
  /** 480, as for a session. */
  refuseNoClient: order((turn) => refuse(turn, 480)),
  /** 416: RFC 3261 8.2.2.1. */
  refuseScheme: order((turn) => refuse(turn, 416)),
  /** 420 with Unsupported: RFC 3261 16.3. */
  refuseExtension: order((turn) => refuse(turn, 420)),

  /** To the SIP/IP core, and at the terminating side through it to the user's clients. */
  passToCore: order((turn) => {
    pass(turn, 'core');
    // Only one that may be kept can be answered before the clients have spoken.
    const role = turn.get('role');
    const policy = turn.get('policy');
    const kept = mayBeKept({ role, policy, profile: turn.get('profile'), message: turn.get('message') });
    if (kept) turn.setDeadline('answerOver', turn.at + policy.messages.deferred.answerMs);
  }),

  /** Straight to the ISF (6.5), which picks an IWF. */
  passToIsf: order((turn) => {
    turn.clearDeadline('answerOver');
    pass(turn, 'isf');
  }),

  /** The far side has it: RFC 3428 7, its 200 or 202 goes to the sender as it is. */
  passSuccess: order((turn) => {
    turn.order({ type: 'passAnswer' });
    turn.set('answered', true);
    record(turn);
    conclude(turn, turn.get('way') === 'isf' ? 'interworked' : 'passed');
  }),

  passFailure: order<EventOf<'failed'>>((turn, event) => {
    // RFC 4320 4.2: its sender's transaction has ended like ours, and a 408 would only do harm.
    turn.order(event.late ? { type: 'leaveUnanswered' } : { type: 'passAnswer' });
    turn.set('answered', true);
    conclude(turn, 'failed');
  }),

  /** No client is there: it waits for one to register. */
  keepForClient: order((turn) => {
    keep(turn);
    // One may have registered while this was on its way.
    turn.order({ type: 'seeToTurn' });
  }),

  /** The clients did not take it: they are asked again after a while. */
  keepAfterFailure: order((turn) => {
    keep(turn);
    tryAgainLater(turn);
  }),

  /** The clients are silent: the sender need not wait for them; what they say later still counts. */
  keepMeanwhile: order((turn) => {
    keep(turn);
  }),

  /** Its first 202 was lost. */
  acceptAgain: order((turn) => {
    turn.order({ type: 'accept' });
    turn.set('answered', true);
    conclude(turn, 'duplicate');
  }),

  deliver: order((turn) => {
    const number = turn.get('deliveries') + 1;
    turn.set('deliveries', number);
    turn.clearDeadline('retryDue');
    turn.order({ type: 'deliver', number });
    turn.checkpoint();
  }),

  seeToTurn: order((turn) => {
    turn.clearDeadline('retryDue');
    turn.order({ type: 'seeToTurn' });
  }),

  waitAgain: order((turn) => {
    tryAgainLater(turn);
    turn.checkpoint();
  }),

  endDelivered: order((turn) => conclude(turn, 'delivered')),
  endRejected: order((turn) => conclude(turn, 'rejected')),
  endExpired: order((turn) => conclude(turn, 'expired')),
  endDropped: order((turn) => conclude(turn, 'dropped')),
  endAbandoned: order((turn) => conclude(turn, 'abandoned')),

  /** RFC 5438: a `failed` delivery notification, on behalf of the user who never had the message. */
  notifySender: order((turn) => {
    turn.order({ type: 'notifySender' });
  }),

  /** Or not: one try is all it gets. */
  noteNotified: order((turn) => turn.checkpoint()),
};

export type ActionName = keyof typeof actions;
