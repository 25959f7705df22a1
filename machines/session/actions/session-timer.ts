/** Session timers (RFC 4028), one for each leg of a B2BUA. */
import type { LegName, LegTimer, SessionContext, TimerFacts } from '../context.ts';
import type { EventOf } from '../events.ts';
import { glareWait } from '../glare.ts';
import { order } from '../order.ts';
import type { SessionTimers } from '../policy.ts';
import { deadlineOf, type Turn } from '../turn.ts';

/** RFC 4028 4: no interval below 90 s, whatever is asked. */
const SMALLEST_INTERVAL = 90;

/** Below this a peer's interval is taken for a mistake; an operator may allow less. */
export function smallestInterval(ours: SessionTimers): number {
  return Math.min(SMALLEST_INTERVAL, ours.minSE);
}

/** What we agree to as the one who answers (RFC 4028 9). */
export function timerAsServer(facts: TimerFacts, ours: SessionTimers): LegTimer {
  const floor = Math.max(facts.minSE ?? 0, smallestInterval(ours));
  const se = facts.se === null ? ours.se : Math.max(Math.min(facts.se, ours.se), floor);
  if (!facts.supported) return { se, refresher: 'us' };
  if (facts.refresher !== null) return { se, refresher: facts.refresher === 'uas' ? 'us' : 'peer' };
  return { se, refresher: ours.refresher };
}

/** What the answer to our request says (RFC 4028 7.2). Without a word in it the refreshing is ours. */
export function timerAsClient(facts: TimerFacts, ours: SessionTimers): LegTimer {
  if (facts.se === null) return { se: ours.se, refresher: 'us' };
  return { se: Math.max(facts.se, smallestInterval(ours)), refresher: facts.refresher === 'uas' ? 'peer' : 'us' };
}

/** The interval a proxy asks for: ours, or the caller's where that is smaller (RFC 4028 8.1, A-35). */
export function proxiedInterval(context: Pick<SessionContext, 'invite' | 'policy'>): number {
  const { se, minSE } = context.invite.timer;
  const ours = Math.max(context.policy.timers.se, minSE ?? 0);
  return se === null ? ours : Math.min(se, ours);
}

/** RFC 4028 7.3: what a 422 has asked for once holds for every later request in the dialog. */
export function noteTimer(turn: Turn, leg: LegName, timer: LegTimer): void {
  const minSE = turn.leg(leg)?.timer?.minSE;
  turn.setLeg(leg, { timer: minSE === undefined ? timer : { ...timer, minSE } });
}

/** Starts or renews a leg's timer. */
export function startTimer(turn: Turn, leg: LegName, timer: LegTimer): void {
  noteTimer(turn, leg, timer);
  // RFC 4028 10: the session ends a third of the interval, at most 32 s, before the peer would hear nothing more.
  const lasts = (timer.se - Math.min(32, timer.se / 3)) * 1000;
  turn.setDeadline(deadlineOf('sessionExpired', leg), turn.at + lasts);
  if (timer.refresher === 'us') turn.setDeadline(deadlineOf('refreshDue', leg), turn.at + timer.se * 500);
  else turn.clearDeadline(deadlineOf('refreshDue', leg));
}

export function stopTimer(turn: Turn, leg: LegName): void {
  turn.clearDeadline(deadlineOf('sessionExpired', leg));
  turn.clearDeadline(deadlineOf('refreshDue', leg));
}

export const sessionTimer = {
  /** RFC 4028 7.4: UPDATE where the peer takes it, since it carries no offer; else a re-INVITE. */
  refreshSession: order<EventOf<'refreshDue'>>((turn, event) => {
    sendRefresh(turn, event.leg, event.step);
  }),

  /** The peer has answered a refresh: renewed, to be tried again, or left to expire. */
  noteRefreshAnswer: order<EventOf<'response'>>((turn, event) => {
    const leg = turn.leg(event.leg);
    if (leg?.timer === undefined || leg.timer === null) return;
    const byInvite = event.exchange.startsWith('refreshInvite');
    if (event.status < 300) {
      if (byInvite) turn.order({ type: 'acknowledge', leg: event.leg });
      startTimer(turn, event.leg, timerAsClient(event.timer, turn.get('policy').timers));
      turn.checkpoint();
    } else if (event.status === 422 && event.minSE !== null && event.minSE > leg.timer.se) {
      turn.setLeg(event.leg, { timer: { ...leg.timer, se: event.minSE, minSE: event.minSE } });
      sendRefresh(turn, event.leg, event.step);
    }
  }),

  /** RFC 3261 14.1 for a refresh that crossed the peer's own. */
  refreshAgainSoon: order<EventOf<'response'>>((turn, event) => {
    const wait = glareWait(turn.get('id'), event.leg, event.step);
    turn.setDeadline(deadlineOf('refreshDue', event.leg), turn.at + wait);
  }),
};

function sendRefresh(turn: Turn, leg: LegName, step: number): void {
  const method = turn.leg(leg)?.allowsUpdate === true ? 'UPDATE' : 'INVITE';
  const exchange = `refresh${method === 'UPDATE' ? 'Update' : 'Invite'}-${step}`;
  turn.clearDeadline(deadlineOf('refreshDue', leg));
  turn.order({ type: 'refresh', leg, exchange, method });
  turn.checkpoint();
}
