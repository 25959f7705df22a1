/** Requests inside the dialogs, from either side to the other (digest 3.9), and renegotiation. */
import type { Relay } from '../context.ts';
import type { EventOf } from '../events.ts';
import { otherSide } from '../legs.ts';
import { order } from '../order.ts';
import { relayFrom, relayTo } from '../relays.ts';
import type { Turn } from '../turn.ts';
import { claim, releaseAllMedia } from './claim.ts';
import { noteTimer, startTimer, timerAsClient, timerAsServer } from './session-timer.ts';

function relay(turn: Turn, event: EventOf<'request'>, prefix: 'offer' | 'pass'): void {
  const to = otherSide({ legs: turn.legs, current: turn.get('current') }, event.leg);
  if (to === undefined) {
    turn.order({ type: 'respond', leg: event.leg, exchange: event.exchange, status: 481 });
    return;
  }
  const as = `${prefix}-${event.step}`;
  const { leg: from, exchange, method, fork } = event;
  turn.set('relays', [...turn.get('relays'), { from, exchange, to, as, method, answered: false }]);
  turn.order({ type: 'relayRequest', from, exchange, to, as, fork });
  turn.checkpoint();
}

function dropRelay(turn: Turn, gone: Relay): void {
  turn.set(
    'relays',
    turn.get('relays').filter((open) => open !== gone),
  );
}

function passBack(turn: Turn, event: EventOf<'response'>): void {
  const open = relayTo(turn.get('relays'), event);
  if (open === undefined) return;
  turn.order({ type: 'relayResponse', from: open.to, exchange: open.as, to: open.from, as: open.exchange });
  if (event.status < 300 && (open.method === 'INVITE' || open.method === 'UPDATE')) renewTimers(turn, open, event);
  if (event.status < 300 && open.method === 'INVITE') {
    turn.set(
      'relays',
      turn.get('relays').map((each) => (each === open ? { ...open, answered: true } : each)),
    );
    turn.checkpoint();
  } else dropRelay(turn, open);
}

/** A renegotiation refreshes the session timers of both its legs (RFC 4028 7.4, 9). */
function renewTimers(turn: Turn, open: Relay, event: EventOf<'response'>): void {
  const { timers } = turn.get('policy');
  if (turn.get('mode') !== 'b2bua') return;
  const timer = turn.leg(open.from)?.timer;
  if (timer !== undefined && timer !== null) startTimer(turn, open.from, timer);
  if (turn.leg(open.to)?.timer !== undefined) startTimer(turn, open.to, timerAsClient(event.timer, timers));
}

export const inDialog = {
  relayRequest: order<EventOf<'request'>>((turn, event) => relay(turn, event, 'pass')),

  /** A new offer: one at a time across both legs. */
  relayOffer: order<EventOf<'request'>>((turn, event) => {
    noteTimer(turn, event.leg, timerAsServer(event.timer, turn.get('policy').timers));
    relay(turn, event, 'offer');
  }),

  relayResponse: order<EventOf<'response'>>((turn, event) => passBack(turn, event)),

  /** The ACK of a renegotiation goes on to the side that answered it. */
  relayAck: order<EventOf<'acknowledged'>>((turn, event) => {
    const open = turn.get('relays').find((each) => each.from === event.leg && each.answered);
    if (open === undefined) return;
    turn.order({ type: 'acknowledge', leg: open.to, withBodyOf: event.leg });
    dropRelay(turn, open);
    turn.checkpoint();
  }),

  relayCancel: order<EventOf<'exchangeCancelled'>>((turn, event) => {
    const open = relayFrom(turn.get('relays'), event.leg, event.exchange);
    if (open !== undefined) turn.order({ type: 'relayCancel', leg: open.to, exchange: open.as });
  }),

  /** RFC 3261 14.2: another offer is under way. */
  refuseGlare: order<EventOf<'request'>>((turn, event) => {
    turn.order({ type: 'respond', leg: event.leg, exchange: event.exchange, status: 491 });
  }),

  /** A changed offer can't be split among several IWFs; see docs/departures.md. */
  refuseSplitOffer: order<EventOf<'request'>>((turn, event) => {
    turn.order({ type: 'respond', leg: event.leg, exchange: event.exchange, status: 488 });
  }),

  /** OPTIONS inside the dialog asks us (RFC 3261 11.2); nothing changes. */
  answerOptions: order<EventOf<'request'>>((turn, event) => {
    turn.order({ type: 'respond', leg: event.leg, exchange: event.exchange, status: 200 });
  }),

  /** Answered from what was agreed last: the peer only renews its session timer. */
  confirmUnchanged: order<EventOf<'request'>>((turn, event) => {
    startTimer(turn, event.leg, timerAsServer(event.timer, turn.get('policy').timers));
    turn.order({ type: 'confirmUnchanged', leg: event.leg, exchange: event.exchange });
    turn.checkpoint();
  }),

  /**
   * The dialog behind the response is gone; the session ends on every other leg. A 481 says that the peer knows
   * nothing of it any more; to silence a BYE is still due (RFC 3261 12.2.1.2). A refresh that fails so is the expiry
   * of the session timer (RFC 4028 10, A-33).
   */
  endByDialogGone: order<EventOf<'response'>>((turn, event) => {
    passBack(turn, event);
    const known = event.status !== 481;
    if (!known) turn.setLeg(event.leg, { phase: 'closed' });
    const reason = event.exchange.startsWith('refresh') ? 'sessionTimer' : 'dialogGone';
    claim(turn, reason, known ? null : event.leg);
    releaseAllMedia(turn);
  }),

  /** The session is ending: whatever else is asked has come too late. */
  refuseRequest: order<EventOf<'request'>>((turn, event) => {
    turn.order({ type: 'respond', leg: event.leg, exchange: event.exchange, status: 481 });
  }),
};
