/** Answers to the invitation: 200 steps 1 to 7, provisional responses, failures, ACK. */
import type { LegName } from '../context.ts';
import type { EventOf } from '../events.ts';
import { farLegs } from '../legs.ts';
import { order } from '../order.ts';
import { mayBeRecorded } from '../recorded.ts';
import { prunedStreams, streamsToOffer } from '../streams.ts';
import type { Turn } from '../turn.ts';
import { claim } from './claim.ts';
import { sendInvite } from './invite.ts';
import { startTimer, timerAsClient, timerAsServer } from './session-timer.ts';

/** Notes a far leg's 2xx: its dialog, its streams, its session timer. */
function takeAnswer(turn: Turn, event: EventOf<'answered'>): void {
  const offered = turn.leg(event.leg)?.streams ?? null;
  turn.setLeg(event.leg, { phase: 'answered', allowsUpdate: event.allowsUpdate });
  turn.set('carriers', carriersAfter(turn, event.leg, offered, event.accepted));
  startTimer(turn, event.leg, timerAsClient(event.timer, turn.get('policy').timers));
}

/** which leg carries each m-line of the inviter's offer. */
function carriersAfter(
  turn: Turn,
  leg: LegName,
  offered: readonly number[] | null,
  accepted: readonly boolean[] | null,
): readonly (LegName | null)[] {
  if (accepted === null) return [leg];
  const carriers = turn.get('carriers').slice();
  accepted.forEach((taken, at) => {
    const index = offered === null ? at : offered[at];
    if (index === undefined) return;
    if (taken) carriers[index] = leg;
    else carriers[index] ??= null;
  });
  return carriers;
}

/** 200 steps 2 to 7: the inviter's 200, its own session timer, and the recording that begins with it. */
function answerInviter(turn: Turn, from: readonly LegName[], fork: number, without: readonly number[] = []): void {
  turn.order({ type: 'answer', from, fork, ...(without.length === 0 ? {} : { without }) });
  turn.setLeg('a', { phase: 'answered' });
  turn.clearDeadline('ringingOver');
  turn.clearDeadline('secondaryOver');
  startTimer(turn, 'a', timerAsServer(turn.get('invite').timer, turn.get('policy').timers));
  noteRecording(turn);
  turn.checkpoint();
}

/** O-200B-7: decided by the preference; on the terminating side the text may be taken by its letter. */
function noteRecording(turn: Turn): void {
  const profile = turn.get('profile');
  const wanted = profile !== null && mayBeRecorded({ policy: turn.get('policy'), profile, role: turn.get('role') });
  if (wanted) turn.set('history', { ...turn.get('history'), wanted });
}

const checked = (turn: Turn) => ({ policy: turn.get('policy'), role: turn.get('role'), mode: turn.get('mode') });

export const answer = {
  relayProgress: order<EventOf<'provisional'>>((turn, event) => {
    const { leg, fork, status, reliable, rseq } = event;
    turn.order({ type: 'progress', leg, fork, status, reliable, ...(rseq === undefined ? {} : { rseq }) });
    turn.setDeadline('ringingOver', turn.at + turn.get('policy').timers.ringingMs);
    // Each side counts on its numbers and on which fork is which: a restart must know them (RFC 3262 3).
    if (reliable || fork > 0) turn.checkpoint();
  }),

  answerInviter: order<EventOf<'answered'>>((turn, event) => {
    takeAnswer(turn, event);
    answerInviter(turn, [event.leg], event.fork, prunedStreams(event.offered ?? null, checked(turn)));
  }),

  /** T-INV-5-r for a late offer: the client that made it is acknowledged and let go. */
  refuseLateOffer: order<EventOf<'answered'>>((turn, event) => {
    turn.order({ type: 'refuse', status: 488 });
    turn.setLeg('a', { phase: 'closed' });
    turn.order({ type: 'acknowledge', leg: event.leg });
    turn.order({ type: 'bye', leg: event.leg });
    turn.setLeg(event.leg, { phase: 'ending' });
    claim(turn, 'refused', null);
  }),

  /** Another session for the streams the ISF's IWF rejected, all in one INVITE; the 200 waits for it. */
  inviteSecondary: order<EventOf<'answered'>>((turn, event) => {
    takeAnswer(turn, event);
    // The wait is on the inviter's side alone: this dialog gets its ACK now.
    turn.order({ type: 'acknowledge', leg: event.leg });
    turn.setLeg(event.leg, { phase: 'confirmed' });
    const offered = streamsToOffer({ ...checked(turn), invite: turn.get('invite') }) ?? [];
    const carriers = turn.get('carriers');
    const rejected = offered.flatMap((stream, at) => (!stream.disabled && (carriers[at] ?? null) === null ? [at] : []));
    sendInvite(turn, 'iwf', { by: 'isf', streams: rejected });
    turn.setDeadline('secondaryOver', turn.at + turn.get('policy').secondaryTimeoutMs);
  }),

  /** answers merged by m-line; what is still rejected is port 0. */
  answerWithSecondary: order<EventOf<'answered'>>((turn, event) => {
    const primary = firstConfirmed(turn);
    takeAnswer(turn, event);
    turn.order({ type: 'acknowledge', leg: event.leg });
    turn.setLeg(event.leg, { phase: 'confirmed' });
    answerInviter(turn, [primary, event.leg], 0);
  }),

  /** The second session came to nothing: the first answer stands. */
  answerWithoutSecondary: order((turn) => {
    const current = turn.get('current');
    const secondary = current === null ? undefined : turn.leg(current);
    if (current !== null && secondary?.phase === 'inviting') {
      turn.order({ type: 'cancel', leg: current });
      turn.setLeg(current, { phase: 'cancelling' });
    }
    answerInviter(turn, [firstConfirmed(turn)], 0);
  }),

  noteLegFailed: order<EventOf<'failed'>>((turn, event) => {
    turn.setLeg(event.leg, { phase: 'closed' });
  }),

  /** O-ERR-3, T-FIN-2b: the far side's refusal goes to the inviter. */
  forwardFailure: order<EventOf<'failed'>>((turn, event) => {
    turn.order({ type: 'forwardFailure', leg: event.leg, status: event.status });
    turn.setLeg(event.leg, { phase: 'closed' });
    turn.setLeg('a', { phase: 'closed' });
    claim(turn, 'failed', event.leg);
  }),

  /** O-ACK, T-ACK: the near ACK makes the far one. */
  acknowledgeFarLegs: order<EventOf<'acknowledged'>>((turn, event) => {
    if (event.leg !== 'a') return;
    turn.setLeg('a', { phase: 'confirmed' });
    for (const [name, leg] of farLegs(turn.legs)) {
      if (leg.phase !== 'answered') continue;
      turn.order({ type: 'acknowledge', leg: name, withBodyOf: 'a' });
      turn.setLeg(name, { phase: 'confirmed' });
    }
  }),

  /** RFC 3261 13.2.2.4: a leg nobody waits for any more has answered after all. */
  endLateAnswer: order<EventOf<'answered'>>((turn, event) => {
    turn.order({ type: 'acknowledge', leg: event.leg });
    turn.order({ type: 'bye', leg: event.leg });
    turn.setLeg(event.leg, { phase: 'ending' });
    turn.checkpoint();
  }),
};

function firstConfirmed(turn: Turn): LegName {
  return farLegs(turn.legs).find(([, leg]) => leg.phase === 'confirmed')?.[0] ?? 'b';
}
