/** Invariant 11: no IWF keeps a dialog when the session is over, one that was born during the closing included. */
import { DEFAULT_TIMERS, transactionTimeout } from '../../sip/transaction/timers.ts';
import type { Violation } from './violation.ts';
import { type DialogSeen, endOf, first, type Sighting, type Wire } from './wire.ts';

/** `iwfs`: addresses behind which IWFs are reached. */
export function invariant11EveryIwfClosed(wire: Wire, iwfs: readonly string[]): Violation[] {
  return wire.dialogs
    .filter((dialog) => dialog.outgoing && iwfs.includes(first(dialog.invite).peer))
    .filter((dialog) => isKnown(dialog, wire) && endOf(dialog, wire) === undefined)
    .map((dialog) => {
      const at = dialog.answers[0]?.at;
      const what = `the IWF of leg ${dialog.leg} (${dialog.remoteTag}) keeps its dialog`;
      return { invariant: 11, what, ...(at === undefined ? {} : { at }) };
    });
}

/** Its 2xx was heard, and in time: later nobody knows the INVITE any more (RFC 3261 13.2.2.4). `by`: ms since the epoch. */
export function isKnown(dialog: DialogSeen, wire: Wire, by = Number.POSITIVE_INFINITY): boolean {
  if (!dialog.outgoing) return true;
  const since = settledAt(dialog.invite, wire);
  const heard = dialog.answers.filter(({ at }) => at < by && at - since < REMEMBERED_MS);
  return (
    !timedOut(dialog.invite, wire) &&
    wire.noticed(heard.filter((answer) => !isForgotten([dialog.session], dialog.invite, answer, wire)))
  );
}

/**
 * Nobody answered for 64*T1 (timer B), which a restart begins anew where it had not run out before the kill: what comes
 * then belongs to nothing.
 */
export function timedOut(invite: DialogSeen['invite'], wire: Wire): boolean {
  let begun = first(invite).at;
  for (const crash of wire.crashes.filter(({ at }) => at >= begun)) {
    if (ranOut(invite, begun, crash)) return true;
    begun = crash.until;
  }
  const heard = invite.responses.find(({ at }) => at >= begun);
  return heard !== undefined && heard.at - begun >= REMEMBERED_MS;
}

/** It was silent for the whole of timer B when the process was killed, and is not said again: the record knows of it. */
function ranOut(
  { sightings, responses }: DialogSeen['invite'],
  begun: number,
  crash: Wire['crashes'][number],
): boolean {
  const over = Math.min(begun + TIMER_B_MS, crash.at);
  const silent = !responses.some(({ at }) => at >= begun && at <= over);
  return silent && crash.at - begun >= TIMER_B_MS && !sightings.some(({ at }) => at >= crash.until);
}

/** After a restart only sessions that had not ended are known. */
export function isForgotten(
  sessions: readonly string[],
  invite: DialogSeen['invite'],
  answer: Sighting,
  wire: Wire,
): boolean {
  if (!wire.crashed(first(invite).at, answer.at)) return false;
  return sessions.every((session) => (wire.stateAt(session, answer.order)?.state ?? 'closed') === 'closed');
}

export const TIMER_B_MS = transactionTimeout(DEFAULT_TIMERS);

/** 64*T1, less what a message needs on its way: as long as the INVITE is remembered (RFC 3261 13.2.2.4, 9.1). */
export const REMEMBERED_MS = 31_000;

/** When the INVITE was settled: its first final response, or its CANCEL. */
export function settledAt(invite: DialogSeen['invite'], wire: Wire): number {
  const cancel = wire.cancelOf(invite);
  const final = invite.responses.find(({ message }) => message.status >= 200);
  return Math.min(
    cancel === undefined ? Number.POSITIVE_INFINITY : first(cancel).at,
    final?.at ?? Number.POSITIVE_INFINITY,
  );
}
