/** Ending a session completely: 8.2.2.3, 8.2.2.4, 8.3.2.3, 8.3.2.4, and every other way a session can end. */
import type { EndReason, LegName, Peer } from '../context.ts';
import type { EventOf } from '../events.ts';
import { order } from '../order.ts';
import { relayTo } from '../relays.ts';
import type { Turn } from '../turn.ts';
import { claim, releaseAllMedia } from './claim.ts';

/**
 * the header is there exactly where a UID is known, and only toward the served client. Where the store was too
 * slow it stays away, since it says that the session has been recorded to its end.
 */
function messageUid(turn: Turn, leg: LegName): { messageUid?: number } {
  const { sealed, sessionInfoUid, groupStateUid } = turn.get('history');
  if (turn.leg(leg)?.peer !== 'client' || !sealed) return {};
  // read by its letter, 8.2.2.4 step 2b gives the Group State Object's UID.
  const literal =
    turn.get('policy').compat.messageUid === 'literal' &&
    turn.get('role') === 'orig' &&
    turn.get('ending')?.reason === 'sessionTimer';
  const uid = literal ? groupStateUid : sessionInfoUid;
  return uid === null ? {} : { messageUid: uid };
}

/** Tells every leg that has not ended yet, each in the way its phase allows. */
function tellLegs(turn: Turn): void {
  for (const name of Object.keys(turn.legs)) tellLeg(turn, name);
}

function tellLeg(turn: Turn, name: LegName): void {
  const leg = turn.leg(name);
  if (leg === undefined) return;
  switch (leg.phase) {
    case 'inviting':
      if (name === 'a') refuseInviter(turn);
      else {
        turn.order({ type: 'cancel', leg: name });
        turn.setLeg(name, { phase: 'cancelling' });
      }
      return;
    case 'answered':
      // RFC 3261 15: the callee may not send BYE before the ACK, or before its time is over.
      if (name === 'a') {
        turn.setLeg(name, { phase: 'byeDue' });
        return;
      }
      turn.order({ type: 'acknowledge', leg: name });
      sayBye(turn, name);
      return;
    case 'confirmed':
      sayBye(turn, name);
      return;
  }
}

function sayBye(turn: Turn, name: LegName): void {
  turn.order({ type: 'bye', leg: name, ...messageUid(turn, name) });
  turn.setLeg(name, { phase: 'ending' });
}

/** The inviter still waits for an answer: it gets the one that fits the reason. */
function refuseInviter(turn: Turn): void {
  const ending = turn.get('ending');
  // RFC 3261 15.1.2: what the inviter itself ended was terminated.
  const status = ending?.by === 'a' ? 487 : REFUSALS[ending?.reason ?? 'failed'];
  turn.order({ type: 'refuse', status: status ?? 480 });
  turn.setLeg('a', { phase: 'closed' });
}

const REFUSALS: Partial<Record<EndReason, number>> = {
  ringingTimeout: 408,
  shutdown: 503,
  // RFC 3262 3: a reliable provisional response without its PRACK.
  noAck: 504,
};

const BYE_REASONS: Readonly<Record<Peer, EndReason>> = {
  client: 'byeFromClient',
  entity: 'byeFromEntity',
  iwf: 'byeFromIwf',
};

function endBy(turn: Turn, event: EventOf<'bye'>, reason: EndReason, awaited?: readonly LegName[]): void {
  turn.set('byes', [...turn.get('byes'), { leg: event.leg, exchange: event.exchange }]);
  const phase = turn.leg(event.leg)?.phase;
  closeByBye(turn, event.leg);
  claim(turn, reason, event.leg, awaited);
  if (phase === 'inviting' && event.leg === 'a') refuseInviter(turn);
  releaseAllMedia(turn);
}

/** RFC 3261 13.2.2.4: a 2xx gets its ACK, though the BYE behind it came before the inviter's ACK. */
function closeByBye(turn: Turn, name: LegName): void {
  if (turn.leg(name)?.phase === 'answered' && name !== 'a') turn.order({ type: 'acknowledge', leg: name });
  turn.setLeg(name, { phase: 'closed' });
}

/** The senders of BYEs have had their answers, or would have: whoever comes now need not wait. */
function isJoined(turn: Turn): boolean {
  const ending = turn.get('ending');
  const { wanted, settled } = turn.get('history');
  if (ending === null || (wanted && !settled)) return false;
  return ending.joinOver || ending.awaited.every((name) => turn.leg(name)?.phase === 'closed');
}

/** the sender of a BYE does not wait for ever. */
function startJoin(turn: Turn): void {
  if (turn.get('byes').length === 0) return;
  turn.setDeadline('byeJoinOver', turn.at + turn.get('policy').timers.byeJoinMs);
}

export const teardown = {
  /** 8.2.2.3 and 8.3.2.3 step 2: far legs are told at once; storing goes on beside it. */
  endByServedClient: order<EventOf<'bye'>>((turn, event) => {
    endBy(turn, event, 'byeFromClient');
    tellLegs(turn);
    startJoin(turn);
  }),

  /** A BYE before the inviter had its answer: its INVITE is refused, whatever is under way is called off. */
  endByEarlyBye: order<EventOf<'bye'>>((turn, event) => {
    endBy(turn, event, BYE_REASONS[turn.leg(event.leg)?.peer ?? 'client']);
    tellLegs(turn);
    startJoin(turn);
  }),

  /** RFC 3261 15: the callee may not end an early dialog. */
  refuseBye: order<EventOf<'bye'>>((turn, event) => {
    turn.order({ type: 'respond', leg: event.leg, exchange: event.exchange, status: 481 });
  }),

  /** 8.2.2.3 and 8.3.2.3 steps 3 and 4b: the history is sealed before anyone is told. */
  endByFarSide: order<EventOf<'bye'>>((turn, event) => {
    const peer = turn.leg(event.leg)?.peer ?? 'entity';
    endBy(turn, event, BYE_REASONS[peer], peer === 'iwf' ? ['a'] : undefined);
  }),

  /** 8.2.2.4, 8.3.2.4. */
  endByTimer: order<EventOf<'sessionExpired'>>((turn) => {
    claim(turn, 'sessionTimer', null);
    releaseAllMedia(turn);
  }),

  endByCancel: order((turn) => {
    claim(turn, 'cancelled', 'a');
    refuseInviter(turn);
    tellLegs(turn);
  }),

  endByRingingTimeout: order((turn) => {
    claim(turn, 'ringingTimeout', null);
    tellLegs(turn);
  }),

  /** RFC 3261 13.3.1.4: a 2xx without ACK ends the session by BYE. */
  endByMissingAck: order<EventOf<'unacknowledged'>>((turn, event) => {
    const phase = turn.leg(event.leg)?.phase;
    if (phase === 'answered') turn.setLeg(event.leg, { phase: 'confirmed' });
    claim(turn, 'noAck', null);
    releaseAllMedia(turn);
  }),

  endByMediaFailure: order<EventOf<'mediaFailed'>>((turn) => {
    claim(turn, 'mediaFailure', null);
    releaseAllMedia(turn);
  }),

  endByOrder: order<EventOf<'endOrdered'>>((turn, event) => {
    claim(turn, event.by, null);
    releaseAllMedia(turn);
  }),

  tellLegs: order((turn) => {
    tellLegs(turn);
    startJoin(turn);
  }),

  noteJoinOver: order((turn) => {
    turn.clearDeadline('byeJoinOver');
    const ending = turn.get('ending');
    if (ending !== null) turn.set('ending', { ...ending, joinOver: true });
  }),

  /** The budget is spent: signalling goes on, the outbox finishes by itself. */
  noteBudgetSpent: order((turn) => {
    turn.clearDeadline('storeBudgetOver');
    turn.set('history', { ...turn.get('history'), settled: true });
  }),

  /** 2c-iii, 3d, 4b-iv: each BYE that was received gets its one 200. */
  answerByes: order((turn) => {
    for (const { leg, exchange } of turn.get('byes')) {
      turn.order({ type: 'answerBye', leg, exchange, ...messageUid(turn, leg) });
    }
    turn.set('byes', []);
    turn.clearDeadline('byeJoinOver');
    turn.checkpoint();
  }),

  /** a crossing BYE gets its own 200; the served client's waits for the UID if it can still have one. */
  answerCrossingBye: order<EventOf<'bye'>>((turn, event) => {
    const { leg: name, exchange } = event;
    if (turn.get('byes').some((open) => open.leg === name && open.exchange === exchange)) return;
    const leg = turn.leg(name);
    // RFC 3261 15: a callee whose 2xx has not come may not end the dialog; that 2xx is still to be ended itself.
    if (name !== 'a' && (leg?.phase === 'inviting' || leg?.phase === 'cancelling')) {
      turn.order({ type: 'respond', leg: name, exchange, status: 481 });
      return;
    }
    const told = leg?.phase === 'ending' || leg?.phase === 'closed';
    closeByBye(turn, name);
    if (leg?.peer === 'client' && !told && !isJoined(turn)) {
      turn.set('byes', [...turn.get('byes'), { leg: name, exchange }]);
      startJoin(turn);
    } else turn.order({ type: 'answerBye', leg: name, exchange, ...messageUid(turn, name) });
    turn.checkpoint();
  }),

  /** whatever the answer to our BYE, the leg has ended. An accepted offer still gets its ACK first. */
  noteAnswer: order<EventOf<'response'>>((turn, event) => {
    if (event.exchange === 'bye') {
      turn.setLeg(event.leg, { phase: 'closed' });
      return;
    }
    const relay = relayTo(turn.get('relays'), event);
    const offered = relay?.method === 'INVITE' || /^(reoffer|refreshInvite)/.test(event.exchange);
    if (offered && event.status < 300) turn.order({ type: 'acknowledge', leg: event.leg });
  }),

  /** The ACK, or the end of waiting for it, lets the BYE go that was held back; one that isn't due yet need not wait. */
  sayHeldBye: order<EventOf<'acknowledged' | 'unacknowledged'>>((turn, event) => {
    const phase = turn.leg(event.leg)?.phase;
    if (phase === 'byeDue') sayBye(turn, event.leg);
    else if (phase === 'answered') turn.setLeg(event.leg, { phase: 'confirmed' });
    else return;
    turn.checkpoint();
  }),

  /**
   * Invariant 13: the end does not wait for peers for ever. Whoever is still to hear of it does so now: the time of an
   * ACK that a BYE waited for is over (RFC 3261 15), and after a restart nobody else says so.
   */
  closeAllLegs: order((turn) => {
    for (const [name, leg] of Object.entries(turn.legs)) {
      if (leg.phase === 'byeDue') sayBye(turn, name);
      turn.setLeg(name, { phase: 'closed' });
    }
  }),

  letGo: order((turn) => {
    turn.clearDeadlines();
    turn.checkpoint();
  }),
};
