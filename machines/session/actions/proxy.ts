/** Proxy mode: the session watches and forwards, and originates nothing (RFC 3261 16, digest 2.3 invariant 5). */
import type { EndReason, LegName } from '../context.ts';
import type { EventOf } from '../events.ts';
import { order } from '../order.ts';
import { deadlineOf, type Turn } from '../turn.ts';
import { claim } from './claim.ts';
import { proxiedInterval, smallestInterval } from './session-timer.ts';

// Where nobody keeps a session timer, seconds: a lost BYE must not hold the session for ever. What comes later is still
// forwarded by its Route, as by a proxy that never knew the dialog (RFC 3261 16.12).
const LONGEST_UNTIMED = 86_400;

/** RFC 4028 8.2: the interval of the 2xx is the session's; on expiry a proxy only forgets. */
function watchTimer(turn: Turn, se: number | null): void {
  const seconds = se === null ? LONGEST_UNTIMED : Math.max(se, smallestInterval(turn.get('policy').timers));
  turn.setDeadline(deadlineOf('sessionExpired', 'a'), turn.at + seconds * 1000);
}

/** Whose BYE it was: that of the inviter, or of whoever is on the far side now. */
function byeReason(turn: Turn, from: LegName): EndReason {
  const peer = turn.leg(from === 'a' ? 'a' : (turn.get('current') ?? 'b'))?.peer;
  return peer === 'client' ? 'byeFromClient' : peer === 'iwf' ? 'byeFromIwf' : 'byeFromEntity';
}

function forget(turn: Turn): void {
  for (const name of Object.keys(turn.legs)) turn.setLeg(name, { phase: 'closed' });
}

export const proxy = {
  forwardProvisional: order<EventOf<'provisional'>>((turn, event) => {
    turn.order({ type: 'forwardResponse', leg: event.leg });
  }),

  /** O-200P-1, T-200P-1. */
  forwardAnswer: order<EventOf<'answered'>>((turn, event) => {
    turn.order({ type: 'forwardResponse', leg: event.leg });
    turn.setLeg(event.leg, { phase: 'confirmed' });
    turn.setLeg('a', { phase: 'confirmed' });
    turn.clearDeadline('ringingOver');
    const { supported } = turn.get('invite').timer;
    const asked = proxiedInterval({ invite: turn.get('invite'), policy: turn.get('policy') });
    watchTimer(turn, event.timer.se ?? (supported ? asked : null));
    turn.checkpoint();
  }),

  forwardRefusal: order<EventOf<'failed'>>((turn, event) => {
    turn.order({ type: 'forwardResponse', leg: event.leg });
    forget(turn);
    claim(turn, event.status === 487 ? 'cancelled' : 'failed', event.leg);
  }),

  /** RFC 3261 16.10: the CANCEL goes on; the final response that follows is forwarded like any other. */
  cancelBranch: order((turn) => {
    const current = turn.get('current');
    if (current === null) return;
    turn.order({ type: 'cancel', leg: current });
    turn.setLeg(current, { phase: 'cancelling' });
  }),

  forwardAck: order<EventOf<'acknowledged'>>((turn, event) => {
    turn.order({ type: 'forwardAck', leg: event.leg });
  }),

  forwardRequest: order<EventOf<'request'>>((turn, event) => {
    turn.order({ type: 'forwardRequest', leg: event.leg, exchange: event.exchange });
    // Behind its 100 nobody says it again, so a restart must know it.
    if (event.method === 'INVITE') turn.checkpoint();
  }),

  forwardReply: order<EventOf<'response'>>((turn, event) => {
    turn.order({ type: 'forwardReply', leg: event.leg, exchange: event.exchange });
    if (event.status < 300 && event.timer.se !== null) watchTimer(turn, event.timer.se);
  }),

  /** O-BYE-P-1, T-BYE-P-1. */
  forwardBye: order<EventOf<'bye'>>((turn, event) => {
    turn.order({ type: 'forwardRequest', leg: event.leg, exchange: event.exchange });
    claim(turn, byeReason(turn, event.leg), event.leg);
  }),

  /** The answer to a BYE that came before the 2xx was through: the session was ended before it began. */
  endByForwardedBye: order<EventOf<'response'>>((turn, event) => {
    turn.order({ type: 'forwardReply', leg: event.leg, exchange: event.exchange });
    claim(turn, byeReason(turn, event.leg), event.leg);
    forget(turn);
  }),

  /** O-BYE-P-2, T-BYE-P-2. */
  forwardByeAnswer: order<EventOf<'response'>>((turn, event) => {
    turn.order({ type: 'forwardReply', leg: event.leg, exchange: event.exchange });
    // An early BYE, and the INVITE still waits for its own answer (RFC 3261 15.1.2: a 487).
    if (turn.leg('a')?.phase !== 'inviting') forget(turn);
  }),

  /** Invariant 13: nobody has answered what was forwarded. The inviter still gets its one answer (RFC 3261 16.7 step 6). */
  stopForwarding: order((turn) => {
    if (turn.leg('a')?.phase === 'inviting') turn.order({ type: 'refuse', status: 408 });
    forget(turn);
  }),

  /** O-TMR-P, T-TMR-P: no BYE, only own state. */
  forgetByTimer: order((turn) => {
    forget(turn);
    claim(turn, 'sessionTimer', null);
  }),

  /** RFC 3261 16.10: an order before the answer is a CANCEL; the final response that follows goes to the inviter. */
  cancelByOrder: order<EventOf<'endOrdered'>>((turn, event) => {
    claim(turn, event.by, null);
    const current = turn.get('current');
    if (current === null || turn.leg(current)?.phase !== 'inviting') return;
    turn.order({ type: 'cancel', leg: current });
    turn.setLeg(current, { phase: 'cancelling' });
  }),

  /** RFC 3261 16.7: the session is ending, but its INVITE still has its final response passed on, a 2xx above all. */
  forwardLast: order<EventOf<'answered' | 'failed'>>((turn, event) => {
    turn.order({ type: 'forwardResponse', leg: event.leg });
    forget(turn);
  }),

  /** An operator's order in proxy mode: nothing may be sent, so nothing is. */
  forgetByOrder: order<EventOf<'endOrdered'>>((turn, event) => {
    forget(turn);
    claim(turn, event.by, null);
  }),
};
