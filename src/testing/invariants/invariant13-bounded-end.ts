/**
 * Invariant 13: a teardown lasts no longer than its limits allow, whoever said BYE has its answer within them, and every
 * leg hears of the end as soon as it may.
 */
import type { SessionTimers } from '../../../machines/session/policy.ts';
import { beginOfEnd, legsToldInTime } from './told-in-time.ts';
import type { Violation } from './violation.ts';
import { type DialogSeen, finals, first, named, type SessionSeen, type Wire } from './wire.ts';

/** `slackMs`: what commits and the network add, and the time the process was down. */
export function invariant13BoundedEnd(wire: Wire, timers: SessionTimers, slackMs: number): Violation[] {
  const limit = timers.byeJoinMs + timers.storeBudgetMs + timers.transactionMs + slackMs;
  const join = timers.byeJoinMs + timers.storeBudgetMs + slackMs;
  return [
    ...[...wire.sessions.values()].flatMap((session) => lasted(session, limit, wire)),
    ...wire.dialogs.flatMap((dialog) => answeredInTime(dialog, join, wire)),
    ...legsToldInTime(wire, timers.storeBudgetMs + slackMs),
  ];
}

function lasted(session: SessionSeen, limit: number, wire: Wire): Violation[] {
  const { id, states } = session;
  const begun = beginOfEnd(session);
  const last = states.at(-1)?.entry;
  const closed = states.find(({ entry }) => entry.state === 'closed')?.entry;
  // One that was killed before it was ever stored is gone: nobody had heard of it.
  const gone = last === undefined || wire.crashed(last.at, Number.POSITIVE_INFINITY);
  if (!gone && last.state !== 'closed' && closed === undefined) {
    return [{ invariant: 13, what: `session ${id} never came out of ${last.state}`, at: last.at }];
  }
  if (begun === undefined || closed === undefined || closed.at - begun.at <= limit) return [];
  const what = `session ${id} took ${closed.at - begun.at} ms to end, ${limit} allowed`;
  return [{ invariant: 13, what, at: closed.at }];
}

function answeredInTime(dialog: DialogSeen, join: number, wire: Wire): Violation[] {
  return wire
    .requestsIn(dialog, 'in')
    .filter(({ method }) => method === 'BYE')
    .flatMap((bye) => {
      const asked = first(bye);
      const answer = finals(bye)[0];
      if (answer === undefined || answer.at - asked.at <= join || wire.crashed(asked.at, answer.at)) return [];
      const what = `${named(bye)} waited ${answer.at - asked.at} ms for its answer, ${join} allowed`;
      return [{ invariant: 13, what, at: answer.at }];
    });
}
