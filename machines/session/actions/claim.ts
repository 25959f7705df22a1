/** The one door out: whatever ends a session claims its end here, once (digest 2.3, invariant 2). */
import type { EndReason, LegName } from '../context.ts';
import { farLegs } from '../legs.ts';
import type { Turn } from '../turn.ts';

/**
 * Notes why the session ends and on which legs' end the sender of a BYE waits. Sets the limits that bound the
 * teardown (invariant 13) and lets go of everything that was still under way.
 */
export function claim(turn: Turn, reason: EndReason, by: LegName | null, awaited?: readonly LegName[]): void {
  if (turn.get('ending') !== null) return;
  const others = Object.keys(turn.legs).filter((name) => name !== by);
  turn.set('ending', { reason, by, awaited: awaited ?? others, joinOver: false });
  turn.checkpoint();
  turn.clearDeadlines();
  const { storeBudgetMs, byeJoinMs, transactionMs } = turn.get('policy').timers;
  turn.setDeadline('teardownOver', turn.at + storeBudgetMs + byeJoinMs + transactionMs);
  if (turn.get('history').wanted) turn.setDeadline('storeBudgetOver', turn.at + storeBudgetMs);
  cutRelays(turn);
}

/** RFC 3261 15.1.2: requests still open in an ending dialog are answered 487. */
function cutRelays(turn: Turn): void {
  for (const relay of turn.get('relays')) {
    if (!relay.answered) turn.order({ type: 'respond', leg: relay.from, exchange: relay.exchange, status: 487 });
    // The far side has accepted an offer and waits for its ACK.
    else turn.order({ type: 'acknowledge', leg: relay.to });
  }
}

/** O-BYE-1 T-BYE-1 O-TMR-6 T-TMR-8: the media of every leg. Freeing again does nothing. */
export function releaseAllMedia(turn: Turn): void {
  turn.order({ type: 'releaseMedia', legs: ['a', ...farLegs(turn.legs).map(([name]) => name)] });
}
